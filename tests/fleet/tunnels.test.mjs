import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
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
/** From when on an answer that nobody listens would count: NATS was there for so long. */
const STEADY = 5000;
/** How many clients more a lame duck sends away, one or two a second, between the gateways. */
const BYSTANDERS = 10;

const { nats, fleet } = await useFleet();
const [a, b, c] = fleet.gateways;
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

/** A client of NATS that does nothing but be there. */
async function bystander() {
  const socket = connect(node.clients, "127.0.0.1").on("error", () => {});
  await once(socket, "connect");
  socket.resume().write('CONNECT {"verbose":false}\r\n');
}

test("WebSockets that go over NATS outlast the lame duck of the only NATS server", async () => {
  const pairs = [[a, b], [b, c], [c, a]];
  const tunnels = await Promise.all(pairs.map(([owner, acceptor]) => tunnelled(owner, acceptor)));
  const name = fresh("kept");
  await Promise.all(tunnels.map(({ socket }) => must(socket, "join", name)));
  const records = tunnels.map(({ socket }) => new Record(socket, "n"));
  const losses = tunnels.map(({ socket }) => new Record(socket, "disconnect"));
  await Promise.all(Array.from({ length: BYSTANDERS }, bystander));
  await pause(STEADY);
  await node.lameDuck();
  await nats.restart(node);
  await published(tunnels[0].socket, name, "after");
  assert.deepEqual(losses.map(({ messages }) => messages), [[], [], []]);
  await Promise.all(records.map((record) => record.count(1)));
});

for (const [what, dies] of [["owns its session", ([owner]) => owner], ["accepted it", ([, acceptor]) => acceptor]]) {
  test(`a WebSocket that goes over NATS is let go soon when the gateway that ${what} dies`, async () => {
    const pair = await fleet.add(2);
    await pause(STEADY);
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
