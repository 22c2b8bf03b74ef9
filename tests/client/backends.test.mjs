// The example of a backend over NATS, run as its README says.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { STOCK, enter, must } from "./support/clients.mjs";
import { cluster } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { useNats } from "./support/nats.mjs";
import { Program } from "./support/process.mjs";
import { Record } from "./support/record.mjs";
import { until, within } from "./support/wait.mjs";

const nats = await useNats();
const backbone = { nats: { external: { url: nats } } };
const gateway = await useGateway([cluster({ backbone, backend: { nats: { timeout: "5s" } } })]);
const example = fileURLToPath(new URL("../../examples/backend-node/backend.mjs", import.meta.url));

const backends = [];
after(() => Promise.all(backends.map((backend) => backend.stop())));

async function startBackend() {
  const backend = new Program(process.execPath, [example], { NATS_URL: nats, SLUICE_PREFIX: "sluice.default.test" });
  backends.push(backend);
  await until(() => `the backend to answer:\n${backend.output}`, () => backend.output.includes("Answering orders"));
}

const ask = (socket, event, data) =>
  within(`the answer to ${event}`, new Promise((resolve) => socket.emit(event, data, resolve)));

test("while no backend is there, an event is refused at once", async () => {
  const socket = await enter(gateway, STOCK, "ada");
  const answer = await ask(socket, "order", { items: 2, number: 1 });
  assert.equal(answer.error?.code, "backend_unreachable", JSON.stringify(answer));
});

test("the backend answers an event, and publishes to a room", async () => {
  await Promise.all([startBackend(), startBackend()]);
  const socket = await enter(gateway, STOCK, "ada");
  await must(socket, "join", "orders");
  const orders = new Record(socket, "ordered");
  assert.deepEqual(await ask(socket, "order", { items: 2, number: 1 }), { ok: true, data: { total: 6 } });
  await orders.count(1);
  assert.deepEqual(orders.data, [{ user: "ada", total: 6 }]);
});

test("a refusal of the backend reaches the client with its own code", async () => {
  const socket = await enter(gateway, STOCK, "ada");
  const answer = await ask(socket, "order", { items: 0 });
  assert.deepEqual(answer, { ok: false, error: { code: "nothing_ordered", message: "Order at least one item." } });
});
