import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { next, until } from "../client/support/wait.mjs";
import { Place } from "./support/place.mjs";

const place = await Place.use(1, { recovery: { window: "30s" } });
afterEach(() => place.end());

// The stock client notices only by its timeout that a connection was cut before it was open.
const SOON = { reconnectionDelay: 5, reconnectionDelayMax: 20, timeout: 300 };
const COUNT = 120;
const all = Array.from({ length: COUNT }, (_, number) => number);

/** Ends a client's connection as a network does that breaks: what is on its way is lost. */
const cut = (client) => client.io.engine?.transport?.ws?._socket?.destroy();

/** Emits the numbers in order, in every way that there is to reach one session. */
async function burst(io, id) {
  for (const number of all) {
    if (number % 4 === 0) io.to("hall").emit("n", number);
    else if (number % 4 === 1) io.emit("n", number);
    else if (number % 4 === 2) io.to(id()).emit("n", number);
    else io.to(["hall"].concat(id())).except("nobody").emit("n", number);
    if (number % 3 === 0) io.volatile.emit("passing", "a string that is no mark");
    if (number % 10 === 0) await new Promise((then) => setTimeout(then, 3));
  }
}

/** A server whose sockets are in the hall and carry data; what it notes of each connection. */
function hall() {
  const io = place.server({ connectionStateRecovery: { skipMiddlewares: true } });
  const noted = [];
  let asked = 0;
  io.use((_, next) => {
    asked++;
    next();
  });
  io.on("connection", (socket) => {
    noted.push({ id: socket.id, recovered: socket.recovered, rooms: [...socket.rooms].sort(), data: { ...socket.data } });
    if (socket.recovered) return;
    socket.join("hall");
    socket.data.name = "ann";
    socket.on("disconnect", () => noted.push("disconnect"));
  });
  return { io, noted, asked: () => asked };
}

describe("a client whose connection is cut", () => {
  test("after any event of a burst is given each event once and in its order", async () => {
    const { io } = hall();
    const clients = [];
    // A client for every event that its connection may be cut behind.
    for (const at of [0, 1, 2, 3, 10, 30, 31, 60, 90, 118]) {
      const client = place.client("/", SOON);
      await next(client, "connect");
      clients.push({ client, at, id: client.id, heard: [], marks: new Set() });
    }
    await until("all are here", () => io.sockets.sockets.size === clients.length);
    await until("all are in the hall", () => io.sockets.adapter.rooms.get("hall")?.size === clients.length);
    for (const one of clients) {
      one.client.on("n", (number, mark) => {
        one.heard.push(number);
        one.marks.add(mark);
        if (number === one.at) cut(one.client);
      });
    }
    await burst(io, () => clients.map(({ id }) => id));
    await until("all have heard all", () => clients.every(({ client, heard }) => client.recovered && heard.length >= COUNT));
    for (const { client, at, id, heard, marks } of clients) {
      assert.deepEqual(heard, all, `cut behind ${at}`);
      assert.equal(client.recovered, true, `cut behind ${at}`);
      assert.equal(client.id, id);
      assert.equal(marks.size, COUNT);
    }
  });

  test("again and again, also while it comes back, loses nothing that it is said to have", async () => {
    const { io } = hall();
    const client = place.client("/", SOON);
    await next(client, "connect");
    const id = client.id;
    await until("it is in the hall", () => io.sockets.adapter.rooms.get("hall")?.has(id));
    let heard = [];
    let fresh = 0;
    client.on("n", (number) => heard.push(number));
    client.on("connect", () => {
      if (!client.recovered) fresh++;
    });
    const cutting = setInterval(() => cut(client), 7);
    await burst(io, () => id);
    await new Promise((then) => setTimeout(then, 300));
    clearInterval(cutting);
    await until("it is connected", () => client.connected);
    // Where it was ever told that it begins anew, it knows that it lacks something.
    if (fresh === 0) {
      await until("it has heard all", () => heard.length >= COUNT);
      assert.deepEqual(heard, all);
    } else assert.deepEqual(heard, [...new Set(heard)].sort((a, b) => a - b));
  });

  test("is the application's to see go and come back, with its rooms and its data, past the middlewares", async () => {
    const { io, noted, asked } = hall();
    const client = place.client("/", SOON);
    await next(client, "connect");
    await until("it is in the hall", () => io.sockets.adapter.rooms.get("hall")?.has(client.id));
    await until("its data is known", async () => (await io.fetchSockets())[0]?.data.name === "ann");
    await new Promise((then) => setTimeout(then, 1_200));
    const { id } = client;
    cut(client);
    await next(client, "connect");
    await until("it is back", () => noted.length === 3);
    assert.equal(noted[1], "disconnect");
    assert.deepEqual(noted[2], { id, recovered: true, rooms: ["hall", id].sort(), data: { name: "ann" } });
    assert.equal(asked(), 1);
  });

  test("begins anew where it left by itself", async () => {
    const { noted } = hall();
    const client = place.client("/", SOON);
    await next(client, "connect");
    client.disconnect();
    client.connect();
    await next(client, "connect");
    await until("both are known", () => noted.filter((one) => one.id).length === 2);
    assert.equal(client.recovered, false);
    assert.equal(noted.at(-1).recovered, false);
  });
});
