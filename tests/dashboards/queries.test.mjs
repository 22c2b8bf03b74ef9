import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { until } from "../client/support/wait.mjs";
import { ALERTS, dashboards, panelQueries, variables, watched } from "./support/dashboards.mjs";
import { Load } from "./support/load.mjs";
import { Operator } from "./support/operator.mjs";
import { Prometheus, checkRules } from "./support/prometheus.mjs";

/** How long a query may take until it shows something, in milliseconds. */
const PATIENCE = 90_000;

/** Alerts that watch what cannot be made to happen here, with the reason. */
const EXCEPTIONS = {
  SluiceGatewayOverloaded: "the code `overloaded` appears with its first refusal, which takes a worker that is seconds behind",
  SluiceDocumentsNotGiven: "the outcome `failed` appears with the first failure, which takes a NATS that is connected and stores nothing",
};

describe("dashboards and alerts", () => {
  let load;
  let operator;
  let prometheus;
  before(async () => {
    load = await Load.start();
    operator = await Operator.start(load.nats.url, load.spec);
    prometheus = await Prometheus.start([...load.targets, operator.target], ALERTS);
  });
  after(async () => {
    await prometheus?.stop();
    await operator?.stop();
    await load?.stop();
  });

  test("Prometheus reads every gateway and the operator", async () => {
    await until("all targets to be up", async () => {
      await pause(200);
      const targets = await prometheus.targets();
      return targets.length === load.targets.length + 1 && targets.every(({ health }) => health === "up");
    }, PATIENCE);
  });

  test("every variable of a dashboard has values", async () => {
    for (const { name, label, match } of variables()) {
      assert.ok((await prometheus.labelValues(label, match)).length > 0, name);
    }
  });

  test("every query of every panel shows something of gateways under load", async () => {
    const queries = panelQueries();
    assert.ok(queries.length > 80, `only ${queries.length} queries were found`);
    await load.drain();
    await allShow(queries);
  });

  test("every alert watches something that there is", async () => {
    const alerts = await prometheus.alerts();
    assert.ok(alerts.length >= 20, `only ${alerts.length} alerts were found`);
    const watching = alerts.filter(({ name }) => !EXCEPTIONS[name]);
    assert.equal(watching.length, alerts.length - Object.keys(EXCEPTIONS).length, "exceptions that are no alerts");
    await allShow(watching.map(({ name, query }) => ({ name, query: watched(query) })));
  });

  test("an alert fires for what it watches", async () => {
    const [{ query }] = (await prometheus.alerts()).filter(({ name }) => name === "SluiceGatewayNearlyFull");
    const firing = await until("the full gateway to be found", async () => {
      await pause(200);
      return (await prometheus.query(query))[0];
    }, PATIENCE);
    assert.equal(firing.metric.pod, "second-0");
  });

  /** Resolves when each query has shown a number; rejects with those that did not. */
  async function allShow(queries) {
    let silent = queries;
    const deadline = Date.now() + PATIENCE;
    while (silent.length && Date.now() < deadline) {
      const shown = await Promise.all(silent.map(({ query }) => shows(query)));
      silent = silent.filter((_, n) => !shown[n]);
      await pause(500);
    }
    assert.deepEqual(silent, [], "queries that showed nothing");
  }

  async function shows(query) {
    return (await prometheus.query(query)).some(({ value }) => Number.isFinite(value));
  }
});

test("promtool finds no fault in the alerts", () => {
  assert.match(checkRules(ALERTS), /SUCCESS/);
});

test("every alert says what it means, how bad it is, and has a runbook", async () => {
  const prometheus = await Prometheus.start([], ALERTS);
  after(() => prometheus.stop());
  const alerts = await until("the alerts", async () => {
    await pause(100);
    const loaded = await prometheus.alerts();
    return loaded.length > 0 && loaded;
  });
  for (const { name, labels, annotations } of alerts) {
    assert.match(labels.severity, /^(warning|critical)$/, name);
    assert.ok(annotations.summary && annotations.description, name);
    assert.equal(annotations.runbook_url, `docs/runbooks/${name}.md`);
    assert.ok(existsSync(fileURLToPath(new URL(`../../${annotations.runbook_url}`, import.meta.url))), `${annotations.runbook_url} is missing`);
  }
  assert.equal(new Set(alerts.map(({ name }) => name)).size, alerts.length, "names that are there twice");
});

test("every panel says what it shows, and no two dashboards share an id", () => {
  const all = dashboards();
  for (const { title, panels } of all) {
    for (const panel of panels.filter(({ type }) => type !== "row")) assert.ok(panel.description, `${title}: ${panel.title}`);
  }
  assert.equal(new Set(all.map(({ uid }) => uid)).size, all.length);
});
