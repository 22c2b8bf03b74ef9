import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Server, Socket } from "../../src/index.js";
import type { FakeClient } from "../support/fake-client.js";
import { placeForTests } from "../support/place.js";
import { randomOf } from "../support/random.js";
import { until } from "../support/until.js";

const place = placeForTests();
beforeEach(() => place.next());
afterEach(() => place.end());

async function connected(): Promise<{ io: Server; client: FakeClient; socket: Socket<any, any> }> {
  const io = place.server();
  const connection = new Promise<Socket<any, any>>((resolve) => io.on("connection", resolve));
  const client = place.gateway.connect();
  const socket = await connection;
  await until("the client is in", () => client.state === "in");
  return { io, client, socket };
}

describe("an instance", () => {
  test("skips whatever is no frame, no beat and no message of an instance", async () => {
    const { client, socket } = await connected();
    const random = randomOf(3);
    const texts = ["", "{}", "[]", "null", '{"gateway":7}', '{"from":"x","kind":"event"}', "D x 1 1\n", "R - 1 0 0\n"];
    for (const text of texts) place.gateway.sayBytes(client.instance!, Buffer.from(text));
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(Array.from({ length: random(80) }, () => random(256)));
      place.gateway.sayBytes(client.instance!, bytes);
    }
    const strangers = [
      "connect 2 9\n{}",
      "event 1 99\nx",
      "gone - 99\n",
      "data 1 99\nx",
      "answer 1 7\nx",
      "page 1 7 1\nx",
    ];
    for (const entry of strangers) place.gateway.write(client.instance!, Buffer.from(entry));
    const heard = new Promise((resolve) => socket.on("still", resolve));
    client.emit("still", "here");
    assert.equal(await heard, "here");
  });

  test("opens a new stream where its gateway sends what is no entry", async () => {
    const { client, socket } = await connected();
    const detached = new Promise<void>((resolve) => socket.on("detach", resolve));
    place.gateway.write(client.instance!, Buffer.from("no entry at all\n"));
    await detached;
    await until("it says hello again", () => place.gateway.hellos === 2);
  });

  test("lets go of a gateway that refuses it, and asks it again later", async () => {
    place.gateway.welcome = { refused: { code: "protocol_unsupported", message: "Only 2 is spoken here." } };
    const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
    const io = place.server();
    assert.match((await warned).message, /does not take this instance \(protocol_unsupported\): Only 2 is spoken here/);
    assert.deepEqual(await io.timeout(5000).emitWithAck("to nobody"), []);
    assert.equal(place.gateway.hellos, 1);
  });

  test("loses nothing while NATS is killed and starts again", async () => {
    const { client, socket } = await connected();
    const heard: number[] = [];
    socket.on("n", (number: number) => heard.push(number));
    const restarted = place.nats.restart();
    for (let number = 0; number < 50; number++) {
      socket.emit("n", number);
      client.emit("n", number);
      await new Promise((then) => setTimeout(then, 5));
    }
    await restarted;
    const expected = Array.from({ length: 50 }, (_, number) => number);
    await until("all arrived", () => client.received.length === 50 && heard.length === 50);
    assert.deepEqual(heard, expected);
    assert.deepEqual(
      client.received.map(([, number]) => number),
      expected,
    );
    assert.ok(socket.connected);
  });

  test("says by its beats how long its loop is blocked", async () => {
    const { client } = await connected();
    const end = Date.now() + 3_000;
    while (Date.now() < end);
    await until("a beat of meanwhile", () => (place.gateway.ticks.get(client.instance!) ?? 0) > 500);
  });

  test("refuses to emit more than gateways take, says so once, and drops what is volatile", async () => {
    const { io, socket } = await connected();
    place.gateway.arrives = () => false;
    let pressure = 0;
    (io as any).on("pressure", () => pressure++);
    const text = "x".repeat(4 * 1024 * 1024);
    for (let number = 0; number < 15; number++) socket.emit("n", text);
    assert.equal(pressure, 0);
    assert.throws(() => {
      for (;;) socket.emit("n", text);
    }, /wait for the gateways, which do not take them/);
    socket.volatile.emit("n", text);
    io.volatile.emit("n", text);
    assert.throws(() => io.emit("n", text), /wait for the gateways/);
    assert.equal(pressure, 1);
  });

  test("that was closed and listens again is a new one, which gets the sessions", async () => {
    const { io, client } = await connected();
    const first = client.instance;
    await io.close();
    io.listen(0);
    const moved = await new Promise<Socket>((resolve) => io.on("connection", resolve));
    assert.equal(moved.id, client.session);
    assert.ok(moved.recovered);
    assert.notEqual(client.instance, first);
  });
});
