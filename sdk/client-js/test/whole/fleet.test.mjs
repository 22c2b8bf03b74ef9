import assert from "node:assert/strict";
import { test } from "node:test";
import { fresh } from "../../../../tests/client/support/names.mjs";
import { until } from "../../../../tests/client/support/wait.mjs";
import { useFleet } from "../../../../tests/fleet/support/use.mjs";
import { useClient } from "./support/use.mjs";

const CLIENTS = 100;
const PUBLISHED = 60;

const drain = { settle: "200ms", window: "2s", deadline: "20s" };
const { fleet } = await useFleet({ spec: { drain } });

/** Where clients meet the fleet, by whatever gateway the balancer takes. */
const door = { wsUrl: `${fleet.balancer.wsUrl}`, token: (user) => fleet.gateways[0].token(user) };

/** Clients in a room of their own, what each has read, and how long each was away, in milliseconds. */
async function crowd(room) {
  const clients = Array.from({ length: CLIENTS }, (_, number) => useClient(door, `user-${number}`));
  const read = clients.map(() => []);
  const away = [];
  for (const [number, client] of clients.entries()) {
    client.room(room).on("message", (data) => read[number].push(data));
    let since;
    client.on("state", ({ state }) => {
      if (state === "connected" && since !== undefined) away.push(Date.now() - since);
      since = state === "connected" ? undefined : (since ?? Date.now());
    });
  }
  await Promise.all(clients.map((client) => client.room(room).join()));
  return { clients, read, away };
}

const numbers = Array.from({ length: PUBLISHED }, (_, number) => number);

for (const [how, end] of [
  ["drains", (gateway) => fleet.drain(gateway)],
  ["is killed", (gateway) => fleet.kill(gateway)],
]) {
  test(`when a gateway ${how} its clients come back, and nobody loses anything or has it twice`, async (context) => {
    const room = fresh("kept");
    const { clients, read, away } = await crowd(room);
    const publisher = clients[0].room(room);
    const published = numbers.map((number) => publisher.publish("message", number));
    await until("some to be read", () => read[1].length > 5);
    const ended = end(await fleet.fullest());
    await Promise.all(published);
    await ended;
    const short = () =>
      read.flatMap((data, number) =>
        data.length < PUBLISHED ? [[number, data.join(), clients[number].state, clients[number].room(room).state]] : [],
      );
    await until(
      () => `all to have read all, as these have not: ${JSON.stringify(short())}`,
      () => short().length === 0,
    );
    for (const data of read) assert.deepEqual(data, numbers);
    assert.ok(away.length > 0, "somebody was moved");
    const times = away.sort((a, b) => a - b);
    const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
    context.diagnostic(
      `${times.length} were away for ${at(0.5)} ms in the middle, ${at(0.99)} ms at the 99th percentile`,
    );
    for (const client of clients) client.disconnect();
    await fleet.add(1);
  });
}
