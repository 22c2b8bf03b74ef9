import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, ask, enter, must } from "./support/clients.mjs";
import { cluster, kept, room } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { until } from "./support/wait.mjs";

const gateway = await useGateway();

test("a changed Room decides the next request, without a disconnect", async () => {
  const name = fresh("kept");
  const socket = await enter(gateway, STOCK, "ada");
  const before = socket.id;
  await must(socket, "publish", name, "message", "allowed");
  const closed = room("kept", "kept-*", { ...kept.spec, access: { publish: "false" } });
  await gateway.configure([cluster(), closed]);
  const refused = await until("the change", async () => {
    const answer = await ask(socket, "publish", name, "message", "probe");
    return answer.ok ? false : answer;
  });
  assert.equal(refused.error.code, "access_denied");
  await gateway.configure([cluster(), kept]);
  await until("the change back", async () => (await ask(socket, "publish", name, "message", "probe")).ok);
  assert.equal(socket.id, before);
  const { messages } = await must(socket, "history", name);
  assert.equal(messages[0].data, "allowed");
});

test("a broken document changes nothing", async () => {
  const name = fresh("kept");
  const socket = await enter(gateway, STOCK, "ada");
  const broken = room("kept", "kept-*", { ...kept.spec, access: { publish: "claims.(" } });
  await gateway.configure([cluster(), broken]);
  await until("the refusal in the log", () => gateway.program.output.includes("spec.access.publish"));
  await must(socket, "publish", name, "message", "as before");
  assert.equal((await must(socket, "history", name)).messages.length, 1);
});
