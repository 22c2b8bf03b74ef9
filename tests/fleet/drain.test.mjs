import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, enter, must } from "../client/support/clients.mjs";
import { fresh } from "../client/support/names.mjs";
import { Record } from "../client/support/record.mjs";
import { until } from "../client/support/wait.mjs";
import { metric } from "./support/fleet.mjs";
import { door, useFleet } from "./support/use.mjs";

const CLIENTS = 120;
const RATE = 30;
const drain = { settle: "200ms", window: "1s", connectionsPerSecond: RATE, deadline: "50s" };

const { fleet } = await useFleet({ spec: { drain } });
const way = door(fleet.balancer);

test("gateways that drain together share one rate, say how far they are, and lose no session", async () => {
  const name = fresh("kept");
  const draining = await fleet.add(2);
  await fleet.serve((gateway) => draining.includes(gateway));
  const sockets = await Promise.all(Array.from({ length: CLIENTS }, (_, n) => enter(way, STOCK, `user-${n}`)));
  for (const socket of sockets) await must(socket, "join", name);
  await fleet.serve((gateway) => !draining.includes(gateway));
  const losses = sockets.map((socket) => new Record(socket, "disconnect"));

  const ends = draining.map((gateway) => fleet.drain(gateway, { reason: "rollout" }));
  const seen = await Promise.all(draining.map(watch));
  await Promise.all(ends);
  await until("all to be back", () => sockets.every(({ connected, recovered }) => connected && recovered));
  for (const record of losses) assert.equal(record.messages.length, 1, "each client moves once");

  // Both were seen while both moved: together they keep the rate of the fleet.
  const together = seen[0].filter(({ at }) => seen[1].some((other) => other.at === at));
  for (const progress of seen) {
    assert.ok(progress.length > 0 && together.length > 0, "both were seen to move");
    for (const { moved, remaining } of progress) assert.ok(moved + remaining <= CLIENTS);
    const moves = progress.map(({ moved }) => moved);
    assert.deepEqual(moves, [...moves].sort((x, y) => x - y), "what is moved only grows");
  }
  for (const { at, rate } of together) {
    const other = seen[1].find((one) => one.at === at);
    assert.ok(rate + other.rate <= 1.1 * RATE, `${rate} and ${other.rate} a second`);
  }
});

/** What a drain says of itself four times a second while it has connections to move, until it has ended. */
async function watch(gateway) {
  const seen = [];
  await until("the drain to end", async () => {
    const answer = await gateway.api("GET", "/v1/drain").catch(() => undefined);
    if (answer?.body?.phase === "move" && answer.body.remaining > 0) seen.push({ at: Math.floor(Date.now() / 250), ...answer.body });
    await new Promise((done) => setTimeout(done, 250));
    return !gateway.program.running;
  }, 60_000);
  return seen;
}

test("a drain that is taken back leaves the gateway in the fleet, and its clients where they are", async () => {
  const [gateway] = await fleet.add(1);
  const sockets = await Promise.all(Array.from({ length: 20 }, (_, n) => enter(gateway, STOCK, `user-${n}`, { reconnection: false })));
  await gateway.api("POST", "/v1/drain", { reason: "rebalance", connectionsPerSecond: 1 });
  await until("the drain to begin", async () => (await metric(gateway, "sluice_draining")) === 1);
  const { status, body } = await gateway.api("DELETE", "/v1/drain");
  assert.deepEqual([status, body.phase], [200, "serving"]);
  await enter(gateway, STOCK, "late");
  assert.ok(sockets.filter(({ connected }) => connected).length >= 15, "most are where they were");
});
