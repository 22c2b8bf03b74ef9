import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { next, until } from "../client/support/wait.mjs";
import { Place } from "./support/place.mjs";

const place = await Place.use(2);
afterEach(() => place.end());

describe("two instances at two gateways", () => {
  test("reach each other's clients by rooms, and find them", async () => {
    const servers = [place.server(), place.server()];
    for (const [number, io] of servers.entries()) {
      io.on("connection", (socket) => {
        socket.data.at = number;
        socket.join("hall");
      });
    }
    await Promise.all(servers.map((io) => io.ready));
    const clients = Array.from({ length: 8 }, (_, number) => place.client("/", {}, number % 2));
    await Promise.all(clients.map((client) => next(client, "connect")));
    const heard = clients.map(() => []);
    for (const [number, client] of clients.entries()) client.on("said", (text) => heard[number].push(text));
    await until("all are attached", () => servers[0].engine.clientsCount + servers[1].engine.clientsCount === 8);
    servers[0].to("hall").emit("said", "hello");
    servers[1].to("hall").except(clients[0].id).emit("said", "not to the first");
    await until("all have heard", () => heard.flat().length === 15);
    assert.deepEqual(heard[0], ["hello"]);
    await until("data is known everywhere", async () =>
      (await servers[0].fetchSockets()).every(({ data }) => data.at !== undefined),
    );
    const found = await servers[0].in("hall").fetchSockets();
    assert.deepEqual(found.map(({ id }) => id).sort(), clients.map(({ id }) => id).sort());
    servers[1].in("hall").socketsLeave("hall");
    await until("nobody is in the room", async () => (await servers[0].in("hall").fetchSockets()).length === 0);
  });
});
