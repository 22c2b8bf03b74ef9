import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { KINDS, STOCK, enter, must } from "../client/support/clients.mjs";
import { fresh } from "../client/support/names.mjs";
import { Record } from "../client/support/record.mjs";
import { next, until } from "../client/support/wait.mjs";
import { HttpBalancer } from "./support/balancer.mjs";
import { metric } from "./support/fleet.mjs";
import { door, useFleet } from "./support/use.mjs";

/** How long NATS is away, and how soon a dead owner must be noticed, in milliseconds. */
const [AWAY, NOTICED] = [6000, 3000];
/** When a fleet has healed after NATS came back. */
const HEALED = 20_000;

const { nats, fleet } = await useFleet();
const [a, b] = fleet.gateways;
const [node] = nats.nodes;
const UPGRADES = KINDS.find(({ recovers, transports }) => recovers && transports.length === 2);

/** A client whose session is at `owner`, and whose WebSocket has reached `acceptor`. */
async function tunnelled(owner, acceptor, options) {
  const balancer = await HttpBalancer.start();
  const way = door(balancer);
  way.to(owner);
  balancer.server.prependOnceListener("upgrade", () => way.to(acceptor));
  const opened = () => metric(acceptor, "sluice_tunnels_opened_total");
  const before = await opened();
  const socket = await enter(way, UPGRADES, fresh("user"), options);
  await until("the upgrade", () => socket.io.engine.transport.name === "websocket");
  await until("the tunnel", async () => await opened() > before);
  return { way, socket };
}

const published = (socket, name, data) => until("the backbone to be back", async () => {
  const answer = await socket.timeout(5000).emitWithAck("publish", name, "n", data, { id: data }).catch(() => undefined);
  return answer?.ok;
}, HEALED);

for (const { name: what, begin, end } of [
  { name: "is killed and started again", begin: () => node.kill(), end: () => nats.restart(node) },
  { name: "hangs for a while", begin: () => node.pause(), end: () => node.resume() },
  { name: "cannot be reached for a while", begin: () => nats.cut(node), end: () => nats.mend(node) },
]) {
  test(`a WebSocket that goes over NATS outlasts a NATS that ${what}`, async () => {
    const { socket } = await tunnelled(a, b);
    const name = fresh("kept");
    const publisher = await enter(a, STOCK, "publisher");
    await must(socket, "join", name);
    const [record, losses] = [new Record(socket, "n"), new Record(socket, "disconnect")];
    await must(publisher, "publish", name, "n", "before");
    await record.count(1);
    await begin();
    await pause(AWAY);
    await end();
    await published(publisher, name, "after");
    await published(socket, name, "its own");
    await record.count(3);
    assert.deepEqual(record.data, ["before", "after", "its own"]);
    assert.deepEqual(losses.messages, []);
  });
}

for (const [what, dies] of [["owns its session", ([owner]) => owner], ["accepted it", ([, acceptor]) => acceptor]]) {
  test(`a WebSocket that goes over NATS is let go soon when the gateway that ${what} dies`, async () => {
    const pair = await fleet.add(2);
    // An answer that nobody listens counts once NATS has been steady for five seconds.
    await pause(5000);
    const { way, socket } = await tunnelled(...pair, { reconnectionDelay: 100 });
    const name = fresh("kept");
    const publisher = await enter(a, STOCK, "publisher");
    await must(socket, "join", name);
    const record = new Record(socket, "n");
    await must(publisher, "publish", name, "n", 0);
    await record.count(1);
    const [lost, back] = [next(socket, "disconnect"), next(socket, "connect")];
    way.to(a);
    const began = Date.now();
    await fleet.kill(dies(pair));
    await lost;
    assert.ok(Date.now() - began < NOTICED, `noticed after ${Date.now() - began} ms`);
    await back;
    assert.equal(socket.recovered, true);
    await must(publisher, "publish", name, "n", 1);
    await record.count(2);
    assert.deepEqual(record.data, [0, 1]);
  });
}
