import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { next, until } from "../client/support/wait.mjs";
import { Place } from "./support/place.mjs";

const place = await Place.use();
afterEach(() => place.end());

describe("an application with stock clients", () => {
  test("hears what they emit, and answers", async () => {
    const io = place.server();
    io.on("connection", (socket) => {
      socket.on("add", (one, other, answer) => answer(one + other, Buffer.from([one])));
    });
    for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
      const client = place.client("/", { transports });
      const answer = await new Promise((then) => client.emit("add", 1, 2, (...args) => then(args)));
      assert.equal(answer[0], 3);
      assert.deepEqual([...new Uint8Array(answer[1])], [1]);
    }
  });

  test("gets arguments as they were emitted, also in events that gateways have for other clients", async () => {
    const io = place.server();
    const heard = [];
    io.on("connection", (socket) => socket.onAny((...args) => heard.push(args)));
    const client = place.client();
    const events = [
      ["join", "room"],
      ["publish", { room: "a" }, [1, null]],
      ["history"],
      ["ünïcode", "💬", 1.5, true, { deep: { bytes: Buffer.from("b") } }],
    ];
    for (const event of events) client.emit(...event);
    await until("all are heard", () => heard.length === events.length);
    assert.deepEqual(heard, events);
  });

  test("lets them in or not by its middlewares, which see the handshake", async () => {
    const io = place.server();
    io.use((socket, then) => {
      assert.equal(socket.handshake.query.theme, "dark");
      assert.equal(socket.handshake.headers["x-tenant"], "acme");
      then(socket.handshake.auth.pass ? undefined : Object.assign(new Error("no pass"), { data: { code: 7 } }));
    });
    const more = { query: { theme: "dark" }, extraHeaders: { "x-tenant": "acme" } };
    const refused = place.client("/", more);
    const [error] = await next(refused, "connect_error");
    assert.equal(error.message, "no pass");
    assert.deepEqual(error.data, { code: 7 });
    await next(place.client("/", { ...more, auth: { pass: true } }), "connect");
    const [nowhere] = await next(place.client("/nowhere", more), "connect_error");
    assert.equal(nowhere.message, "Invalid namespace");
  });

  test("says why they went, and ends them itself", async () => {
    const io = place.server();
    const reasons = [];
    io.on("connection", (socket) => {
      socket.on("disconnect", (reason) => reasons.push(reason));
      socket.on("end me", () => socket.disconnect());
    });
    const one = place.client();
    await next(one, "connect");
    one.disconnect();
    await until("the first reason", () => reasons.length === 1);
    const two = place.client();
    await next(two, "connect");
    two.io.engine.close();
    await until("the second reason", () => reasons.length === 2);
    const three = place.client();
    three.emit("end me");
    const [reason] = await next(three, "disconnect");
    assert.equal(reason, "io server disconnect");
    assert.deepEqual(reasons, ["client namespace disconnect", "transport close", "server namespace disconnect"]);
  });

  test("asks them, and is told who does not answer", async () => {
    const io = place.server();
    const clients = [place.client(), place.client()];
    await Promise.all(clients.map((client) => next(client, "connect")));
    await until("both are here", () => io.sockets.sockets.size === 2);
    for (const client of clients) client.on("ask", (answer) => answer(client.id));
    const answers = await io.timeout(10_000).emitWithAck("ask");
    assert.deepEqual(answers.sort(), clients.map(({ id }) => id).sort());
    clients[1].off("ask");
    const error = await io.timeout(300).emitWithAck("ask").catch((error) => error);
    assert.deepEqual(error.missing, [clients[1].id]);
    assert.deepEqual(error.responses, [clients[0].id]);
  });

  test("keeps the order of what it says to one, to rooms and to all", async () => {
    const io = place.server();
    io.on("connection", (socket) => {
      socket.join("hall");
      for (let number = 0; number < 300; number += 3) {
        socket.emit("n", number);
        io.to("hall").emit("n", number + 1);
        io.emit("n", number + 2);
      }
    });
    const client = place.client();
    const heard = [];
    client.on("n", (number) => heard.push(number));
    await until("all are heard", () => heard.length === 300);
    assert.deepEqual(heard, Array.from({ length: 300 }, (_, number) => number));
  });
});
