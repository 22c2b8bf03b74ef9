import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Socket } from "../../src/index.js";
import type { FakeClient } from "../support/fake-client.js";
import { placeForTests } from "../support/place.js";
import { until } from "../support/until.js";

const place = placeForTests();
beforeEach(() => place.next());
afterEach(() => place.end());

async function connected(): Promise<{ client: FakeClient; socket: Socket<any, any> }> {
  const io = place.server();
  const connection = new Promise<Socket<any, any>>((resolve) => io.on("connection", resolve));
  const client = place.gateway.connect();
  const socket = await connection;
  await until("the client is in", () => client.state === "in");
  return { client, socket };
}

describe("events of a client", () => {
  test("reach the listeners in their order, with binary arguments", async () => {
    const { client, socket } = await connected();
    const heard: unknown[][] = [];
    socket.on("a", (...args: unknown[]) => heard.push(args));
    socket.onAny((name: string) => heard.push([name]));
    client.emit("a", 1, { deep: [Buffer.from("bytes")] });
    client.emit("a", null);
    await until("both are heard", () => heard.length === 4);
    assert.deepEqual(heard, [["a"], ["a"], [1, { deep: [Buffer.from("bytes")] }], [null]]);
  });

  test("are answered once, whatever the handler does", async () => {
    const { client, socket } = await connected();
    socket.on("ask", (value: number, answer: (...args: unknown[]) => void) => {
      answer(value + 1, Buffer.from("b"));
      answer("again");
    });
    assert.deepEqual(await client.ask("ask", 1), [2, Buffer.from("b")]);
    assert.deepEqual(await client.ask("ask", 2), [3, Buffer.from("b")]);
    assert.equal(client.kinds.filter((kind) => kind === "ack").length, 2);
  });

  test("pass by the socket's middlewares, whose errors are the socket's", async () => {
    const { client, socket } = await connected();
    socket.use(([name], next) => next(name === "bad" ? new Error("bad it is") : undefined));
    const heard: unknown[] = [];
    socket.on("good", () => heard.push("good"));
    socket.on("bad", () => assert.fail("it was refused"));
    socket.on("error", (error) => heard.push(error.message));
    client.emit("bad");
    client.emit("good");
    await until("both are handled", () => heard.length === 2);
    assert.deepEqual(heard, ["bad it is", "good"]);
  });

  test("that come again after a crash say so", async () => {
    const { client, socket } = await connected();
    const repeated: boolean[] = [];
    socket.on("a", () => repeated.push(socket.repeated));
    place.gateway.sayArgs(client.instance!, "event", [client.handle, undefined, "repeated"], ["a"]);
    client.emit("a");
    await until("both are heard", () => repeated.length === 2);
    assert.deepEqual(repeated, [true, false]);
  });

  test("that no listener wants, and entries that are unknown, are skipped", async () => {
    const { client, socket } = await connected();
    client.emit("nobody listens");
    place.gateway.say(client.instance!, "from-the-future", [client.handle, 1, 2], ["{}", "more"]);
    const heard = new Promise((resolve) => socket.on("a", resolve));
    client.emit("a", 1);
    assert.equal(await heard, 1);
  });
});

describe("what is emitted to a session", () => {
  test("arrives in its order", async () => {
    const { client, socket } = await connected();
    for (let number = 0; number < 200; number++) socket.emit("n", number, "x".repeat(number));
    await until("all arrived", () => client.received.length === 200);
    assert.deepEqual(
      client.received.map(([, number]) => number),
      Array.from({ length: 200 }, (_, number) => number),
    );
  });

  test("is acknowledged, by a function or a promise, in time or not", async () => {
    const { client, socket } = await connected();
    client.answers = ([, value]) => [value, "more"];
    assert.deepEqual(await new Promise((resolve) => socket.emit("a", 1, (...args: any[]) => resolve(args))), [
      1,
      "more",
    ]);
    assert.equal(await socket.emitWithAck("a", 2), 2);
    assert.equal(await socket.timeout(5000).emitWithAck("a", 3), 3);
    client.answers = undefined;
    await assert.rejects(socket.timeout(10).emitWithAck("a", 4), /operation has timed out/);
    const error = await new Promise<Error>((resolve) => socket.timeout(10).emit("a", resolve));
    assert.equal(error.message, "operation has timed out");
  });

  test("may not have a reserved name", async () => {
    const { socket } = await connected();
    assert.throws(() => socket.emit("disconnect"), /"disconnect" is a reserved event name/);
  });

  test("is heard by listeners of all that is emitted, broadcasts too", async () => {
    const { client, socket } = await connected();
    const heard: unknown[][] = [];
    socket.onAnyOutgoing((...args: unknown[]) => heard.push(args));
    socket.emit("a", 1);
    socket.nsp.emit("b", 2);
    socket.broadcast.emit("c", 3);
    await until("both arrived", () => client.received.length === 2);
    assert.deepEqual(heard, [
      ["a", 1],
      ["b", 2],
    ]);
  });

  test("of binary kinds arrives as bytes, at any depth", async () => {
    const { client, socket } = await connected();
    socket.emit("a", new Uint8Array([1, 2]), { at: new Float32Array([1]).buffer, when: new Date(0) });
    const [, bytes, object] = await until("it arrived", () => client.received[0]);
    assert.deepEqual(bytes, Buffer.from([1, 2]));
    assert.deepEqual((object as any).at.length, 4);
    assert.equal((object as any).when, "1970-01-01T00:00:00.000Z");
  });
});
