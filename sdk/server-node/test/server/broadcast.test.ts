import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { BroadcastError, Server } from "../../src/index.js";
import type { FakeClient } from "../support/fake-client.js";
import { placeForTests } from "../support/place.js";
import { until } from "../support/until.js";

const place = placeForTests();
beforeEach(() => place.next());
afterEach(() => place.end());

async function clientsOf(io: Server, count: number, more: object = {}): Promise<FakeClient[]> {
  await io.ready;
  const instance = (io as any).core.link.instance as string;
  const clients = Array.from({ length: count }, () => place.gateway.connect({ instance, ...more }));
  await until("all are in", () => clients.every(({ state }) => state === "in"));
  return clients;
}

const names = (client: FakeClient) => client.received.map(([name]) => name);

describe("a broadcast", () => {
  test("reaches those who are selected, in the order of what one instance says", async () => {
    const io = place.server();
    io.on("connection", (socket) => {
      if (io.sockets.sockets.size < 3) socket.join("hall");
    });
    const clients = await clientsOf(io, 3, { user: "ann" });
    const [one, two, three] = clients as [FakeClient, FakeClient, FakeClient];
    const socket = io.sockets.sockets.get(one.session)!;
    io.emit("all");
    io.to("hall").emit("hall");
    socket.emit("one");
    io.to("hall").except(two.session).emit("hall but two");
    socket.broadcast.emit("others");
    socket.to("hall").emit("others in hall");
    io.toUser("ann").emit("ann");
    io.local.emit("local");
    io.to(["none", three.session]).emit("three");
    io.emit("end");
    await until("all have the end", () => clients.every((client) => names(client).includes("end")));
    assert.deepEqual(names(one), ["all", "hall", "one", "hall but two", "ann", "local", "end"]);
    assert.deepEqual(names(two), ["all", "hall", "others", "others in hall", "ann", "local", "end"]);
    assert.deepEqual(names(three), ["all", "others", "ann", "local", "three", "end"]);
  });

  test("is acknowledged by all, or says who is missing", async () => {
    const io = place.server();
    const clients = await clientsOf(io, 3);
    for (const client of clients) client.answers = () => [client.session];
    const answers = await io.timeout(5000).emitWithAck("ask");
    assert.deepEqual(answers.sort(), clients.map(({ session }) => session).sort());
    clients[1]!.answers = undefined;
    const error = await io
      .timeout(20)
      .emitWithAck("ask")
      .catch((error: BroadcastError) => error);
    assert.deepEqual(error.missing, [clients[1]!.session]);
    assert.equal(error.responses!.length, 2);
    assert.deepEqual(await io.to("nobody").timeout(5000).emitWithAck("ask"), []);
  });

  test("makes sessions join, leave and go, here at once and elsewhere soon", async () => {
    const [here, there] = [place.server(), place.server()];
    const [one] = (await clientsOf(here, 1)) as [FakeClient];
    const [two] = (await clientsOf(there, 1)) as [FakeClient];
    const [near, far] = [here.sockets.sockets.get(one.session)!, there.sockets.sockets.get(two.session)!];
    here.socketsJoin(["a", "b"]);
    assert.deepEqual([...near.rooms], [one.session, "a", "b"]);
    await until("the other has them", () => far.rooms.has("b"));
    here.in("a").socketsLeave("b");
    assert.ok(!near.rooms.has("b"));
    await until("the other has left", () => !far.rooms.has("b"));
    const reasons: string[] = [];
    far.on("disconnect", (reason) => reasons.push(reason));
    here.in("a").disconnectSockets();
    assert.ok(near.disconnected);
    await until("the other has ended", () => reasons.length === 1);
    assert.deepEqual(reasons, ["server namespace disconnect"]);
  });

  test("finds sessions of all instances: those that are here as they are, others as they were", async () => {
    const [here, there] = [place.server(), place.server()];
    const near = await clientsOf(here, 2);
    const far = await clientsOf(there, 5, { data: { name: "far" } });
    there.socketsJoin("hall");
    const sockets = await here.fetchSockets();
    assert.deepEqual(sockets.map(({ id }) => id).sort(), [...near, ...far].map(({ session }) => session).sort());
    const remote = sockets.find(({ id }) => id === far[0]!.session)!;
    assert.deepEqual(remote.data, { name: "far" });
    assert.deepEqual([...remote.rooms], [remote.id, "hall"]);
    remote.emit("hello");
    await until("it arrived", () => far[0]!.received.length === 1);
    remote.disconnect();
    await until("it has gone", () => far[0]!.state === "closed");
    assert.equal((await here.local.fetchSockets()).length, 2);
    assert.equal((await here.except("hall").fetchSockets()).length, 0);
    const listed: string[] = [];
    for await (const { id } of here.in(near[0]!.session).list({ fields: [] })) listed.push(id);
    assert.deepEqual(listed, [near[0]!.session]);
  });

  test("to more rooms than a selector takes is refused with what to do", () => {
    const io = place.server();
    const rooms = Array.from({ length: 1001 }, (_, number) => `r${number}`);
    assert.throws(() => io.to(rooms).emit("a"), /At most 1000 rooms can be selected at once/);
  });
});

describe("instances of an application", () => {
  test("emit to each other, and answer", async () => {
    const [one, two, three] = [place.server(), place.server(), place.server()];
    const heard: unknown[][] = [];
    one.on("hello", () => assert.fail("it is its own"));
    for (const io of [two, three]) {
      io.on("hello", (...args: unknown[]) => heard.push(args));
      io.of("/other").on("ask", (value: number, answer: (value: number) => void) => answer(value + 1));
    }
    await Promise.all([one.ready, two.ready, three.ready]);
    const link = (one as any).core.link;
    await until("they know each other", () => link.otherInstances().length === 2);
    one.serverSideEmit("hello", 1, { two: 2 });
    await until("both have heard", () => heard.length === 2);
    assert.deepEqual(heard[0], [1, { two: 2 }]);
    assert.deepEqual(await one.of("/other").serverSideEmitWithAck("ask", 1), [2, 2]);
    assert.throws(() => one.serverSideEmit("connection"), /reserved/);
  });
});
