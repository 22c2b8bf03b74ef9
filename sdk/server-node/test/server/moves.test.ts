import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Socket } from "../../src/index.js";
import { placeForTests } from "../support/place.js";
import { randomOf } from "../support/random.js";
import { until } from "../support/until.js";

const place = placeForTests();
beforeEach(() => place.next());
afterEach(() => place.end());

describe("an instance that ends", () => {
  test("hands its sessions over with rooms and data, and answers what it has taken", async () => {
    const old = place.server();
    const told: string[] = [];
    let answer: ((value: string) => void) | undefined;
    old.on("connection", (socket) => {
      socket.join("hall");
      socket.data.name = "Ann";
      socket.on("disconnect", () => told.push("disconnect"));
      socket.on("detach", () => told.push("detach"));
      socket.on("ask", (then: (value: string) => void) => {
        answer = then;
      });
    });
    const client = place.gateway.connect();
    await until("the client is in", () => client.state === "in");
    const first = client.instance;
    const asked = client.ask("ask");
    await until("the question is taken", () => answer);
    const next = place.server();
    const moved = new Promise<Socket>((resolve) => next.on("connection", resolve));
    await until("both are heard", () => place.gateway.beats.size === 2);
    let left = false;
    const leaving = old.leave().then(() => {
      left = true;
    });
    await until("it is fenced", () => client.state === "fenced");
    old.sockets.sockets.get(client.session)!.data.late = true;
    answer!("in time");
    assert.deepEqual(await asked, ["in time"]);
    const socket = await moved;
    assert.notEqual(client.instance, first);
    assert.ok(socket.recovered);
    assert.deepEqual([...socket.rooms].sort(), ["hall", client.session].sort());
    assert.deepEqual(socket.data, { name: "Ann", late: true });
    assert.deepEqual(told, ["detach"]);
    await leaving;
    assert.ok(left);
    assert.ok(await until("the last beat", () => place.gateway.beats.get(first!)?.bye));
    socket.emit("from the next");
    await until("it arrived", () => client.received.length === 1);
  });
});

describe("a session's data", () => {
  test("is said when it has changed, once a tick", async () => {
    const io = place.server();
    const connection = new Promise<Socket>((resolve) => io.on("connection", resolve));
    const client = place.gateway.connect({ data: { was: 1 }, why: "recovered", rooms: ["hall"] });
    const socket = await connection;
    assert.deepEqual({ ...socket.data }, { was: 1 });
    assert.ok(socket.rooms.has("hall"));
    socket.data.a = 1;
    socket.data.b = 2;
    await until("it is said", () => client.request.data.b === 2);
    assert.equal(client.kinds.filter((kind) => kind === "data").length, 1);
    const { data } = socket;
    await until("nothing is new", () => client.request.data.a === 1);
    data.later = true;
    await until("what was held on to is seen too", () => client.request.data.later);
    socket.data = { fresh: 1 };
    await until("a new object is said", () => client.request.data.fresh === 1 && client.request.data.a === undefined);
  });

  test("that another instance changed is the same object", async () => {
    const io = place.server();
    const connection = new Promise<Socket>((resolve) => io.on("connection", resolve));
    const client = place.gateway.connect();
    const socket = await connection;
    const { data } = socket;
    await until("the client is in", () => client.state === "in");
    place.gateway.say(client.instance!, "data", [client.handle, 4], ['{"by":"another"}']);
    await until("it is here", () => data.by === "another");
    assert.equal(socket.data, data);
    assert.ok(!client.kinds.includes("data"));
  });
});

describe("a stream", () => {
  test("loses nothing though a fifth of its frames are lost", async () => {
    const io = place.server();
    const connection = new Promise<Socket>((resolve) => io.on("connection", resolve));
    const client = place.gateway.connect();
    const socket = await connection;
    await until("the client is in", () => client.state === "in");
    const random = randomOf(1);
    place.gateway.arrives = () => random(5) !== 0;
    for (let number = 0; number < 20; number++) {
      socket.emit("n", number, "x".repeat(30_000));
      await new Promise((then) => setImmediate(then));
    }
    await until("all arrived", () => client.received.length === 20);
    assert.deepEqual(
      client.received.map(([, number]) => number),
      Array.from({ length: 20 }, (_, number) => number),
    );
  });

  test("that the gateway ends is opened anew, and its sessions are another's", async () => {
    const io = place.server();
    const connection = new Promise<Socket>((resolve) => io.on("connection", resolve));
    const client = place.gateway.connect();
    const socket = await connection;
    await until("the client is in", () => client.state === "in");
    const told: string[] = [];
    socket.on("detach", () => told.push("detach"));
    socket.on("disconnect", () => told.push("disconnect"));
    place.gateway.reset(client.instance!);
    await until("it is told", () => told.length > 0);
    assert.deepEqual(told, ["detach"]);
    const again = new Promise<Socket>((resolve) => io.on("connection", resolve));
    place.gateway.attach(client, client.instance);
    const taken = await again;
    assert.equal(taken.id, socket.id);
    assert.notEqual(taken, socket);
  });

  test("ends with its gateway, and so do the sessions", async () => {
    const io = place.server();
    const connection = new Promise<Socket>((resolve) => io.on("connection", resolve));
    place.gateway.connect();
    const socket = await connection;
    const ended = new Promise((resolve) => socket.on("disconnect", resolve));
    await place.gateway.stop();
    assert.equal(await ended, "transport close");
    assert.equal(io.engine.clientsCount, 0);
    await place.next();
  });
});
