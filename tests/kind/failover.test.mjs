import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { API_KEY, SIGNING_KEY } from "../client/support/documents.mjs";
import { until } from "../client/support/wait.mjs";
import { deletePod, isReady, metric, signal } from "./support/fleet.mjs";
import { eventually, get, kubectl, patch } from "./support/kube.mjs";
import { allReady, cluster, controlPlane, controllersWork, workers } from "./support/nodes.mjs";
import { SYSTEM, install, leader } from "./support/release.mjs";
import { KubeStage } from "./support/stage.mjs";

/** Stock clients, and as many native ones. */
const CLIENTS = Number(process.env.SLUICE_KIND_CLIENTS ?? 400);
const CROWD = { stock: CLIENTS, fromPolling: CLIENTS / 10, native: CLIENTS, rooms: Math.max(20, CLIENTS / 10) };
const NAMESPACE = "failover";
const GATEWAYS = 2;
/** How long the API server is away, in milliseconds. */
const AWAY = 30_000;
/**
 * How long clients may take to be back where a node has died without a word, in milliseconds: until the heartbeat
 * runs out, until the node's gateways are out of the Service, and a try that waits for a dead address.
 */
const NODE = 180_000;

describe(`a fleet on Kubernetes, with ${2 * CLIENTS} clients`, () => {
  let stage;
  before(async () => {
    await install();
    stage = await KubeStage.set(NAMESPACE, GATEWAYS, CROWD);
  });
  after(() => stage?.strike());

  const scenario = (name, act, check, toReturn) => test(name, async () => {
    const began = Date.now();
    let took;
    const verdict = await stage.play(name, async () => {
      const losses = await act();
      took = Date.now() - began;
      return losses;
    }, toReturn);
    console.log(`    it took ${(took / 1000).toFixed(1)} s; ${JSON.stringify(verdict.reasons)}`);
    check(verdict);
  });

  let change = 0;
  /** A change of the pods' template, which makes a new revision. */
  const roll = () => stage.fleet.change({ gateway: { podAnnotations: { "example.com/change": String((change += 1)) } } });
  const clients = () => 2 * CLIENTS;

  scenario("rollout of a new revision", async () => {
    await roll();
    await stage.fleet.settled(GATEWAYS);
    return clients();
  }, (verdict) => {
    whole(verdict);
    assert.equal(verdict.moves, 1, "moves of the client that moved most");
    assert.equal(verdict.told, 0, "clients whose session was gone");
  });

  scenario("operator killed in mid-rollout", async () => {
    await roll();
    await eventually("a gateway to drain", async () => (await draining(stage.fleet)) > 0);
    const pods = await get(SYSTEM, "pods", undefined, "-l", "app.kubernetes.io/name=sluice-operator");
    for (const pod of pods) await signal(pod);
    await stage.fleet.settled(GATEWAYS);
    return clients();
  }, (verdict) => {
    whole(verdict);
    assert.equal(verdict.moves, 1, "moves of the client that moved most");
  });

  scenario("leader moved", async () => {
    const old = await leader();
    await deletePod(SYSTEM, old);
    await eventually("another leader", async () => (await leader()) !== old);
    await roll();
    await stage.fleet.settled(GATEWAYS);
    return clients();
  }, (verdict) => {
    whole(verdict);
    assert.equal(verdict.moves, 1, "moves of the client that moved most");
  });

  scenario("the chart upgraded", () => install("--set=log.level=debug"), unnoticed);

  scenario("a Room changed", async () => {
    const pods = await stage.fleet.gateways();
    const before = await revisions(pods);
    const began = Date.now();
    await patch(NAMESPACE, "room", "crowded", { spec: { limits: { members: 5000 + change } } });
    await until("all gateways to follow", async () => (await revisions(pods)).every((now, n) => now > before[n]));
    const took = Date.now() - began;
    console.log(`    in force everywhere after ${took} ms`);
    assert.ok(took < 1000, `${took} ms`);
  }, unnoticed);

  scenario("keys rotated, and rotated back", async () => {
    const pods = await stage.fleet.gateways();
    const generations = () => Promise.all(pods.map((pod) => metric(pod, "sluice_policy_generation")));
    const another = randomBytes(32).toString("base64");
    for (const [jwt, api] of [[another, `${another}\n${API_KEY}`], [SIGNING_KEY, API_KEY]]) {
      const before = await generations();
      await patch(NAMESPACE, "secret", "keys", { stringData: { jwt, api } });
      await eventually("all gateways to have the keys", async () => (await generations()).every((now, n) => now > before[n]));
    }
  }, unnoticed);

  scenario("a NATS pod killed", async () => {
    await signal((await stage.fleet.nats())[0]);
    await pause(5000);
    await stage.fleet.natsReady();
  }, unnoticed);

  scenario("all NATS pods restarted one by one", async () => {
    for (const { metadata: { name, uid } } of await stage.fleet.nats()) {
      await deletePod(NAMESPACE, name);
      await eventually(`${name} to be another`, async () => {
        const pod = await get(NAMESPACE, "pod", name);
        return pod && pod.metadata.uid !== uid && isReady(pod);
      });
    }
    await stage.fleet.natsReady();
  }, unnoticed);

  scenario("API server away for 30 s", async () => {
    const node = await controlPlane();
    const server = (name) => cluster("exec", node, "pkill", `-${name}`, "-x", "kube-apiserver");
    await server("STOP");
    await pause(AWAY).finally(() => server("CONT"));
    await eventually("the API server", () => kubectl(["get", "--raw", "/readyz"]));
    await controllersWork();
    await allReady();
    await stage.fleet.settled(GATEWAYS);
  }, unnoticed);

  // From here on gateways hold unequal numbers of clients, and the operator moves some to where there are few.
  scenario("scale from 2 to 4", async () => {
    await scale(4);
    await stage.fleet.settled(4);
    await stage.fleet.even();
  }, whole);

  scenario("scale from 4 to 2", async () => {
    await scale(GATEWAYS);
    await stage.fleet.settled(GATEWAYS);
    await stage.fleet.even();
  }, (verdict) => {
    whole(verdict);
    assert.ok(verdict.moves <= 2, `${verdict.moves} moves of the client that moved most`);
  });

  scenario("SIGKILL of a gateway", async () => {
    const pod = await stage.fleet.fullest();
    const losses = await metric(pod, "sluice_connections");
    await signal(pod);
    await stage.crowd.when("its clients to come back", ({ lost, away }) => lost >= losses && away === 0, 60_000);
    await stage.fleet.settled(GATEWAYS);
    await stage.fleet.even();
    return losses;
  }, whole);

  scenario("kubectl drain of a worker", async () => {
    const node = await busiest(stage.fleet);
    await kubectl(["cordon", node]);
    await drain(node);
    await kubectl(["uncordon", node]);
    await stage.fleet.natsReady();
    await stage.fleet.settled(GATEWAYS);
    await stage.fleet.even();
  }, (verdict) => {
    whole(verdict);
    assert.ok(verdict.moves <= 2, `${verdict.moves} moves of the client that moved most`);
  });

  scenario("a worker node killed", async () => {
    const node = await busiest(stage.fleet);
    await cluster("kill-node", node);
    await stage.crowd.when("clients to come back", ({ lost, away }) => lost > 0 && away === 0, NODE).catch(() => {});
    await cluster("start-node", node);
    await allReady();
    await stage.fleet.natsReady();
    await stage.fleet.settled(GATEWAYS);
  }, whole, NODE);

  const scale = (count) => kubectl(["scale", "-n", NAMESPACE, "realtimecluster", "crowd", `--replicas=${count}`]);
});

/** The revision of the documents that each gateway works by. */
const revisions = (pods) => Promise.all(pods.map((pod) => metric(pod, "sluice_policy_revision")));

async function draining(fleet) {
  const counts = await Promise.all((await fleet.gateways()).map((pod) => metric(pod, "sluice_draining").catch(() => 0)));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The worker with the most gateways on it. */
async function busiest(fleet) {
  const on = (await fleet.gateways()).map(({ spec }) => spec.nodeName);
  const candidates = await workers();
  const count = (node) => on.filter((name) => name === node).length;
  return candidates.sort((a, b) => count(b) - count(a))[0];
}

/** Evictions wait for budgets, longer than one command may. */
async function drain(node) {
  await eventually(`${node} to be drained`, async () => {
    await kubectl(["drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=100s"]);
    return true;
  }, 400_000);
}

/** What holds in every scenario: nothing lost, nothing twice, in order, and nobody left out. */
function whole(verdict) {
  const { lost, repeated, disordered, misplaced, gaps, leftOut, open } = verdict;
  assert.deepEqual(
    { lost, repeated, disordered, misplaced, gaps, leftOut, open },
    { lost: 0, repeated: 0, disordered: 0, misplaced: 0, gaps: 0, leftOut: 0, open: 0 },
    verdict.faults.join("\n"),
  );
}

/** What holds where nobody has to move. */
function unnoticed(verdict) {
  whole(verdict);
  // A WebSocket that took over from polling at another gateway goes over NATS, and ends with it.
  const losses = Object.entries(verdict.reasons).filter(([what]) => / lost: /.test(what) && !what.startsWith("stock from polling"));
  assert.deepEqual(losses, [], "connections lost");
}
