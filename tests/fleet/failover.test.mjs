import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connections } from "./support/fleet.mjs";
import { Stage } from "./support/scenario.mjs";

/** The stream that holds the rooms' histories. */
const ROOMS = /_ROOMS$/;
/** How long a client may take to be back in its rooms, for all but one of a hundred; the promise. */
const BACK = 2000;
/** How long a node is away, and how long a partition lasts, in milliseconds. */
const [AWAY, PARTITION] = [2000, 10_000];

for (const [size, over] of [[1, "one nats-server"], [3, "a NATS cluster of three"]]) {
  describe(`three gateways over ${over}`, () => {
    let stage;
    before(async () => { stage = await Stage.set(size); });
    after(() => stage?.strike());

    const scenario = (name, act, check) => test(name, async () => check(await stage.play(`${over}: ${name}`, act)));
    gatewayScenarios(() => stage, scenario);
    natsScenarios(() => stage, scenario);
    if (size > 1) clusterScenarios(() => stage, scenario);
    rollout(() => stage, scenario);
  });
}

function gatewayScenarios(stage, scenario) {
  /** Ends the fullest gateway by `end`, and starts one in its place once clients are back. */
  const ending = (end) => async () => {
    const { fleet, crowd } = stage();
    const gateway = await fleet.fullest();
    const losses = await connections(gateway);
    await end(fleet, gateway);
    await crowd.when("its clients to come back", ({ lost, away }) => lost >= losses && away === 0, 30_000).catch(() => {});
    await fleet.add(1);
    return losses;
  };

  scenario("SIGKILL of a gateway", ending((fleet, gateway) => fleet.kill(gateway)), (verdict) => {
    whole(verdict);
    moved(verdict);
    soon(verdict);
  });

  // While a balancer still sends new connections to the dead gateway, a third of the first tries is
  // refused, and the stock client's second one comes too late for the promise.
  scenario("SIGKILL, noticed by the balancer after 1 s", ending((fleet, gateway) => fleet.kill(gateway, 1000)), whole);

  for (const [name, end] of [
    ["drain of a gateway", (fleet, gateway) => fleet.drain(gateway)],
    ["SIGTERM of a gateway alone", (fleet, gateway) => fleet.terminate(gateway)],
  ]) {
    scenario(name, ending(end), (verdict) => {
      whole(verdict);
      moved(verdict);
      soon(verdict);
    });
  }
}

function natsScenarios(stage, scenario) {
  const first = () => stage().nats.nodes[0];

  scenario("SIGKILL and restart of a NATS node", () => killAndRestart(stage().nats, first()), unnoticed);
  scenario("restart of a NATS node", async () => {
    await first().terminate();
    await stage().nats.restart(first());
  }, unnoticed);
  scenario("lame duck of a NATS node", async () => {
    await first().lameDuck();
    await stage().nats.restart(first());
  }, unnoticed);
  scenario("a NATS partition of 10 s", async () => {
    const { nats } = stage();
    const node = (await nats.leaderOf(ROOMS)) ?? first();
    nats.cut(node);
    await pause(PARTITION);
    nats.mend(node);
    await nats.ready();
  }, unnoticed);
}

function clusterScenarios(stage, scenario) {
  scenario("SIGKILL and restart of the stream's leader", async () => {
    const { nats } = stage();
    const leader = await nats.leaderOf(ROOMS);
    assert.ok(leader, "the rooms' stream has a leader");
    await killAndRestart(nats, leader);
  }, unnoticed);
}

function rollout(stage, scenario) {
  scenario("rolling restart of all gateways", async () => {
    const { fleet } = stage();
    const counts = await Promise.all(fleet.gateways.map(connections));
    await fleet.roll();
    return counts.reduce((sum, count) => sum + count, 0);
  }, (verdict) => {
    whole(verdict);
    moved(verdict);
    assert.equal(verdict.disconnects, verdict.clients, "each client moves");
  });

  test("no room, session or connection has a JetStream consumer", async () => {
    const consumers = await stage().nats.consumers();
    assert.ok(consumers <= 4 * stage().fleet.gateways.length, `${consumers} consumers`);
  });
}

async function killAndRestart(nats, node) {
  await node.kill();
  await pause(AWAY);
  await nats.restart(node);
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

function soon({ back, slowest }) {
  assert.ok(back.p99 < BACK, `p99 to be back: ${back.p99} ms\n${slowest.join("\n")}`);
}

/** What holds where nobody has to move. */
function unnoticed(verdict) {
  whole(verdict);
  const losses = Object.entries(verdict.reasons).filter(([what]) => / lost: /.test(what));
  assert.deepEqual(losses, [], "connections lost");
}

/** What holds where clients have to move: each does once, and with its session. */
function moved(verdict) {
  assert.equal(verdict.moves, 1, "moves of the client that moved most");
  assert.equal(verdict.told, 0, "clients whose session was gone");
}
