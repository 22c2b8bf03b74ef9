import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, cut, enter, forEveryClient, must, open } from "../client/support/clients.mjs";
import { fresh } from "../client/support/names.mjs";
import { Record } from "../client/support/record.mjs";
import { next, until } from "../client/support/wait.mjs";
import { HttpBalancer } from "./support/balancer.mjs";
import { door, useFleet } from "./support/use.mjs";

const { fleet } = await useFleet();
const [a, b, c] = fleet.gateways;
const balancer = await HttpBalancer.start();
const way = door(balancer);
way.to(a, b, c);

const numbers = (count) => Array.from({ length: count }, (_, n) => n);

forEveryClient("requests that go to the gateways in turn", (kind) => {
  test("a client connects, and upgrades if it wants to", async () => {
    const socket = await enter(way, kind, "ann");
    await until("the last transport", () => socket.io.engine.transport.name === kind.transports.at(-1));
    await must(socket, "join", fresh("kept"));
    if (kind.transports[0] === "websocket") return;
    assert.deepEqual([...balancer.given.keys()].sort(), [a, b, c].map(({ port }) => port).sort());
  });

  test("what it publishes and gets is in order and complete", async () => {
    const name = fresh("kept");
    const [socket, other] = [await enter(way, kind, "ann"), await enter(a, kind, "ben")];
    for (const one of [socket, other]) await must(one, "join", name);
    const records = [socket, other].map((one) => new Record(one, "n"));
    await Promise.all(numbers(40).map((n) => must(socket, "publish", name, "n", n)));
    for (const record of records) {
      await record.count(40);
      assert.deepEqual(record.data, numbers(40));
    }
    await Promise.all(numbers(40).map((n) => must(other, "publish", name, "n", 40 + n)));
    await records[0].count(80);
    assert.deepEqual(records[0].data, numbers(80));
  });

  test("binary data and large messages arrive unchanged both ways", async () => {
    const name = fresh("kept");
    const socket = await enter(way, kind, "ann");
    await must(socket, "join", name);
    const record = new Record(socket, "photo");
    const bytes = Buffer.alloc(40_000, "0123456789abcdef");
    await must(socket, "publish", name, "photo", { bytes, small: Buffer.from([1, 2, 3]) });
    const [{ data }] = await record.count(1);
    assert.deepEqual(Buffer.compare(Buffer.from(data.bytes), bytes), 0);
    assert.deepEqual([...Buffer.from(data.small)], [1, 2, 3]);
  });

  if (kind.recovers) {
    test("it recovers after its transport was closed", async () => {
      const name = fresh("kept");
      const socket = await enter(way, kind, "ann", { reconnectionDelay: 100 });
      const publisher = await enter(b, kind, "ben");
      await must(socket, "join", name);
      const record = new Record(socket, "n");
      await must(publisher, "publish", name, "n", 0);
      await record.count(1);
      const back = next(socket, "connect");
      await cut(socket);
      for (const n of numbers(20)) await must(publisher, "publish", name, "n", n + 1);
      await back;
      assert.equal(socket.recovered, true);
      await record.count(21);
      assert.deepEqual(record.data, numbers(21));
    });
  }
});

forEveryClient("a polling session whose gateway died", (kind) => {
  test("the client comes back by itself", async () => {
    const [victim] = await fleet.add(1);
    way.to(victim);
    const socket = await connected(open(way, kind, { auth: { token: way.token("ann") } }));
    await until("the last transport", () => socket.io.engine.transport.name === kind.transports.at(-1));
    const [lost, back] = [next(socket, "disconnect"), next(socket, "connect")];
    way.to(a, b, c);
    await fleet.kill(victim);
    await lost;
    await back;
    await must(socket, "join", fresh("kept"));
  });
});
