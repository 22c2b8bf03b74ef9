import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Socket } from "../../src/index.js";
import { placeForTests } from "../support/place.js";
import { until } from "../support/until.js";

const place = placeForTests();
beforeEach(() => place.next());
afterEach(() => place.end());

/** The next socket that connects. */
const connection = (io: { once(name: string, listener: (socket: Socket) => void): unknown }) =>
  new Promise<Socket>((resolve) => io.once("connection", resolve));

describe("a session", () => {
  test("is let in, and has what the gateway says of it", async () => {
    const io = place.server();
    const connected = connection(io);
    const client = place.gateway.connect({
      user: "ann",
      claims: { role: "admin" },
      auth: { token: "t" },
      transport: "websocket",
      handshake: {
        headers: { "x-a": "1" },
        query: { q: "2" },
        address: "10.0.0.1",
        secure: true,
        url: "/socket.io/?q=2",
      },
    });
    const socket = await connected;
    assert.equal(socket.id, client.session);
    assert.equal(socket.user, "ann");
    assert.deepEqual(socket.claims, { role: "admin" });
    assert.deepEqual(socket.handshake.auth, { token: "t" });
    assert.equal(socket.handshake.headers["x-a"], "1");
    assert.equal(socket.handshake.query.q, "2");
    assert.equal(socket.request.headers["x-a"], "1");
    assert.equal(socket.conn.transport.name, "websocket");
    assert.equal(socket.recovered, false);
    assert.ok(socket.connected);
    assert.deepEqual([...socket.rooms], [socket.id]);
    assert.equal(io.sockets.sockets.get(socket.id), socket);
    await until("the client is in", () => client.state === "in");
  });

  test("is not let in by a middleware that says no, and is told why", async () => {
    const io = place.server();
    io.use((_socket, next) => next(Object.assign(new Error("nobody"), { data: { code: 7 } })));
    const client = place.gateway.connect();
    assert.deepEqual(await until("a refusal", () => client.refusal), { message: "nobody", data: { code: 7 } });
    assert.equal(io.sockets.sockets.size, 0);
    assert.equal(io.engine.clientsCount, 0);
  });

  test("is not let in where there is no such namespace", async () => {
    place.server();
    const client = place.gateway.connect({ namespace: "/none" });
    assert.deepEqual(await until("a refusal", () => client.refusal), { message: "Invalid namespace" });
  });

  test("that goes while it asks is not connected", async () => {
    const io = place.server();
    let letIn!: () => void;
    io.use((_socket, next) => {
      letIn = next;
    });
    io.on("connection", () => assert.fail("it has gone"));
    const client = place.gateway.connect();
    await until("the middleware runs", () => letIn);
    client.leave();
    await until("nobody is known", () => io.engine.clientsCount === 0);
    letIn();
    const other = place.gateway.connect();
    io.removeAllListeners("connection");
    io.on("connection", () => {});
    await until("another asks", () => io.engine.clientsCount === 1);
    assert.deepEqual(client.kinds, []);
    other.leave();
  });

  test("gets what a middleware emits before it is let in, and the rooms that one joins", async () => {
    const io = place.server();
    io.use((socket, next) => {
      socket.emit("early");
      socket.join("hall");
      next();
    });
    const client = place.gateway.connect();
    await until("the client is in", () => client.state === "in");
    assert.deepEqual(client.kinds, ["emit", "accept"]);
    assert.deepEqual([...client.rooms], ["hall"]);
  });

  test("ends with its reason, still in its rooms while it is about to", async () => {
    const io = place.server();
    const connected = connection(io);
    const client = place.gateway.connect();
    const socket = await connected;
    socket.join("hall");
    const told: unknown[] = [];
    socket.on("disconnecting", (reason) => told.push(reason, [...socket.rooms]));
    const ended = new Promise((resolve) => socket.on("disconnect", (...args) => resolve(args)));
    client.leave("ping timeout", "heartbeat");
    assert.deepEqual(await ended, ["ping timeout", { cause: "heartbeat" }]);
    assert.deepEqual(told, ["ping timeout", [socket.id, "hall"]]);
    assert.equal(socket.rooms.size, 0);
    assert.equal(io.sockets.adapter.rooms.size, 0);
    assert.ok(socket.disconnected);
  });

  test("is disconnected by the application, alone or with all of its connection", async () => {
    const io = place.server();
    io.of("/other");
    const first = connection(io);
    const client = place.gateway.connect({ connection: "one" });
    const socket = await first;
    const second = connection(io.of("/other"));
    const other = place.gateway.connect({ connection: "one", namespace: "/other" });
    const sibling = await second;
    assert.equal(sibling.client, socket.client);
    const reasons: string[] = [];
    sibling.on("disconnect", (reason) => reasons.push(reason));
    socket.on("disconnect", (reason) => reasons.push(reason));
    socket.disconnect(true);
    assert.deepEqual(reasons, ["server namespace disconnect", "server namespace disconnect"]);
    await until("the client is closed", () => client.state === "closed");
    assert.notEqual(other.state, "asking");
    assert.equal(io.engine.clientsCount, 0);
  });
});

describe("namespaces", () => {
  test("may be those that a pattern or a function allows", async () => {
    const io = place.server();
    const made: string[] = [];
    io.on("new_namespace", (namespace) => made.push(namespace.name));
    const dynamic = io.of(/^\/room-\d+$/);
    const seen: string[] = [];
    dynamic.use((_socket, next) => next());
    dynamic.on("connection", (socket) => seen.push(socket.nsp.name));
    io.of((name, auth, next) => next(null, name === "/fn" && auth.ok === true));
    const one = place.gateway.connect({ namespace: "/room-1" });
    const two = place.gateway.connect({ namespace: "/room-x" });
    const three = place.gateway.connect({ namespace: "/fn", auth: { ok: true } });
    await until("all are answered", () => one.state === "in" && two.state === "refused" && three.state === "in");
    assert.deepEqual(seen, ["/room-1"]);
    assert.deepEqual(made.sort(), ["/fn", "/room-1"]);
    dynamic.emit("to all of them");
    await until("it arrived", () => one.received.length === 1);
    assert.equal(three.received.length, 0);
  });
});
