import assert from "node:assert/strict";
import { test } from "node:test";
import type { Item, OutboxStore } from "../src/index.js";
import { settle } from "./support/clock.js";
import { comeBack, nextLink, play, playConnected } from "./support/played.js";

/** A room that has a history, joined. */
async function inRoom() {
  const played = await playConnected();
  const room = played.client.room("r");
  room.on("message", () => {});
  await settle();
  await played.gateway.link.answer("join", { room: "r", epoch: "e1", offset: 0 });
  return { ...played, room };
}

test("a publication resolves to its receipt", async () => {
  const { gateway, room } = await inRoom();
  const published = room.publish("message", { text: "hi" }, { id: "m1", echo: false });
  await settle();
  const { data, messageId, echo } = gateway.link.last("publish");
  assert.deepEqual([data, messageId, echo], [{ text: "hi" }, "m1", false]);
  await gateway.link.answer("publish", { messageId: "m1", offset: 1 });
  assert.deepEqual(await published, { id: "m1", offset: 1 });
});

test("what is published while away is sent once the client is back and its room is joined", async () => {
  const { client, clock, gateway, room } = await inRoom();
  await gateway.link.close_(1006);
  const published = [room.publish("message", 1), room.publish("message", 2)];
  await clock.advance(1_000);
  await gateway.link.greet();
  assert.equal(gateway.link.count("publish"), 0);
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 0, recovered: true });
  for (const data of [1, 2]) {
    assert.equal(gateway.link.last("publish")["data"], data);
    await gateway.link.answer("publish", { offset: data });
  }
  assert.deepEqual(
    (await Promise.all(published)).map(({ offset }) => offset),
    [1, 2],
  );
  assert.deepEqual(client.outbox, []);
});

test("what got no answer is sent again under the same id", async () => {
  const { clock, gateway, room } = await inRoom();
  const published = room.publish("message", 1);
  await settle();
  const { messageId } = gateway.link.last("publish");
  await comeBack({ clock, gateway });
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 0, recovered: true });
  assert.equal(gateway.link.last("publish")["messageId"], messageId);
  await gateway.link.answer("publish", { offset: 1 });
  assert.equal((await published).offset, 1);
});

test("what got no answer for two minutes fails as in doubt, and is not sent again", async () => {
  const { clock, gateway, room } = await inRoom();
  const published = room.publish("message", 1);
  const failed = assert.rejects(published, { code: "in_doubt" });
  await settle();
  await gateway.link.close_(1006);
  await clock.advance(120_000);
  await failed;
  await nextLink(clock, gateway, gateway.links.length);
  await gateway.link.greet();
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 0, recovered: true });
  assert.equal(gateway.link.count("publish"), 0);
});

test("in a room without history, what got no answer is in doubt with its connection", async () => {
  const { client, gateway } = await playConnected();
  const failed = assert.rejects(client.room("r").publish("message", 1), { code: "in_doubt" });
  await settle();
  await gateway.link.close_(1006);
  await failed;
});

test("a refusal reaches the publisher and the client's listeners", async () => {
  const { client, gateway, room } = await inRoom();
  const settled: unknown[] = [];
  client.on("settled", ({ error }) => settled.push(error?.code));
  const failed = assert.rejects(room.publish("message", 1), { code: "schema_violation" });
  await settle();
  await gateway.link.refuse("publish", "schema_violation");
  await failed;
  assert.deepEqual(settled, ["schema_violation"]);
});

test("a publication that has not been sent can be taken back", async () => {
  const { client } = play();
  const controller = new AbortController();
  const failed = assert.rejects(client.room("r").publish("message", 1, { signal: controller.signal }), {
    message: "no",
  });
  await settle();
  controller.abort(new Error("no"));
  await failed;
  assert.deepEqual(client.outbox, []);
});

test("bytes travel as attachments, and come back as bytes", async () => {
  const { client, gateway, room } = await inRoom();
  const got: unknown[] = [];
  client.room("r").on("file", (data) => got.push(data));
  void room.publish("file", { bytes: new Uint8Array([1, 2, 3]) });
  await settle();
  const { data, attachments } = gateway.link.last("publish");
  assert.deepEqual([data, attachments], [{ bytes: { _placeholder: true, num: 0 } }, ["AQID"]]);
  await gateway.link.push({
    event: "file",
    data,
    attachments: attachments as string[],
    meta: { room: "r", id: "x", offset: 1, time: 0 },
  });
  assert.deepEqual(got, [{ bytes: new Uint8Array([1, 2, 3]) }]);
});

/** A store that outlives its client. */
class Shelf implements OutboxStore {
  readonly items = new Map<string, Item>();
  open = async (found: (items: Item[]) => void) => found([...this.items.values()].map((item) => structuredClone(item)));
  put = async (item: Item) => void this.items.set(item.id, structuredClone(item));
  remove = async (id: string) => void this.items.delete(id);
}

test("what waits survives a reload, before what is published after it", async () => {
  const store = new Shelf();
  const before = play({ outbox: { store } });
  void before.client
    .room("r")
    .publish("message", 1, { id: "m1" })
    .catch(() => {});
  await settle();
  assert.deepEqual([...store.items.keys()], ["m1"]);
  const { client, gateway } = play({ outbox: { store } });
  const published = client.room("r").publish("message", 2, { id: "m2" });
  await settle();
  await gateway.link.greet();
  assert.equal(gateway.link.last("publish")["messageId"], "m1");
  await gateway.link.answer("publish", { offset: 1 });
  assert.equal(gateway.link.last("publish")["messageId"], "m2");
  await gateway.link.answer("publish", { offset: 2 });
  await published;
  assert.deepEqual([...store.items.keys()], []);
});

test("that something was sent is kept before it is sent", async () => {
  const store = new Shelf();
  const { client, gateway } = await playConnected({ outbox: { store } });
  let kept: number | undefined;
  const put = store.put;
  store.put = async (item) => {
    if (gateway.link.count("publish") === 0) kept = item.sent;
    await put(item);
  };
  void client.room("r").publish("message", 1);
  await settle();
  assert.equal(gateway.link.count("publish"), 1);
  assert.equal(typeof kept, "number");
});

test("a publication that the gateway finds too large fails, and does not end the next connection as well", async () => {
  const { clock, gateway, room } = await inRoom();
  const failed = assert.rejects(room.publish("message", "x".repeat(100)), { code: "message_too_large" });
  await settle();
  await comeBack({ clock, gateway }, {}, 1009);
  await failed;
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 0, recovered: true });
  assert.equal(gateway.link.count("publish"), 0);
});
