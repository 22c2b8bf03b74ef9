import assert from "node:assert/strict";
import { test } from "node:test";
import { KINDS, STOCK, ask, enter, must } from "./support/clients.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Record } from "./support/record.mjs";
import { next } from "./support/wait.mjs";

const gateway = await useGateway();

test("10,000 joins from one connection are each answered and harm nobody", async () => {
  const other = await enter(gateway, STOCK, "other");
  const socket = await enter(gateway, STOCK, "greedy");
  const answers = await Promise.all(
    Array.from({ length: 10_000 }, (_, n) => ask(socket, "join", `many-${n}`)),
  );
  for (const answer of answers) {
    if (!answer.ok) assert.match(answer.error.code, /^[a-z_]+$/);
  }
  const name = fresh("kept");
  await must(other, "join", name);
  const record = new Record(other, "n");
  await must(other, "publish", name, "n", 1);
  await record.count(1);
  socket.disconnect();
  await must(other, "publish", name, "n", 2);
  await record.count(2);
});

for (const kind of KINDS.filter((candidate) => !candidate.transports.includes("websocket"))) {
  test(`a poller that lets messages pile up gets them all, in order (${kind.name})`, async () => {
    const name = fresh("kept");
    const publisher = await enter(gateway, STOCK, "publisher");
    const poller = await enter(gateway, kind, "poller");
    await must(poller, "join", name);
    const record = new Record(poller, "n");
    const total = 500;
    await Promise.all(Array.from({ length: total }, (_, n) => must(publisher, "publish", name, "n", n)));
    await record.count(total);
    assert.deepEqual(record.data, Array.from({ length: total }, (_, n) => n));
  });
}

test("a reader that never reads is closed at its bound, and others are served", async () => {
  const name = fresh("kept");
  const publisher = await enter(gateway, STOCK, "publisher");
  const reader = await enter(gateway, STOCK, "reader");
  const stuck = await enter(gateway, STOCK, "stuck", { reconnection: false });
  for (const socket of [reader, stuck]) await must(socket, "join", name);
  const record = new Record(reader, "n");
  stuck.io.engine.transport.ws._socket.pause();
  const data = "x".repeat(32_000);
  const total = 600;
  for (let n = 0; n < total; n += 1) await must(publisher, "publish", name, "n", { n, data });
  await record.count(total);
  const goodbye = next(stuck, "disconnect");
  stuck.io.engine.transport.ws._socket.resume();
  await goodbye;
});
