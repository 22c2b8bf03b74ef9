import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, enter } from "../client/support/clients.mjs";
import { kept } from "../client/support/documents.mjs";
import { Gateway } from "../client/support/gateway.mjs";
import { fresh } from "../client/support/names.mjs";
import { freePorts } from "../client/support/ports.mjs";
import { fleetCluster } from "./support/documents.mjs";
import { useFleet } from "./support/use.mjs";

const { fleet, documents } = await useFleet({ size: 2 });
const [a, b] = fleet.gateways;

test("a gateway that is ready knows all others: what it is asked first reaches them", async (t) => {
  const user = fresh("user");
  await Promise.all([a, b].map((gateway) => enter(gateway, STOCK, user)));
  const late = await Gateway.start(documents);
  t.after(() => late.stop());
  const { status, body } = await late.api("POST", `/v1/users/${user}/messages`, { event: "note", data: 1 });
  assert.deepEqual([status, body.sessions], [200, 2]);
});

test("a gateway is ready without NATS after a while, and says that it is alone", async (t) => {
  const [nowhere] = await freePorts(1);
  const alone = await Gateway.start([fleetCluster(`nats://127.0.0.1:${nowhere}`), kept]);
  t.after(() => alone.stop());
  const answer = await fetch(`${alone.opsUrl}/readyz`);
  assert.deepEqual([answer.status, /NATS is away/.test(await answer.text())], [200, true]);
  await enter(alone, STOCK, "ann");
});
