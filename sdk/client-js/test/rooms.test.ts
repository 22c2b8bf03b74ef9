import assert from "node:assert/strict";
import { test } from "node:test";
import type { RoomState } from "../src/index.js";
import { settle } from "./support/clock.js";
import { comeBack, play, playConnected } from "./support/played.js";

test("the first listener joins a room, and the last one that goes leaves it after a moment", async () => {
  const { client, clock, gateway } = await playConnected();
  const room = client.room("r");
  const [first, second] = [room.on("a", () => {}), room.on("b", () => {})];
  await settle();
  assert.equal(gateway.link.count("join"), 1);
  await gateway.link.answer("join", { room: "r", offset: 0 });
  first();
  first();
  await clock.advance(1_000);
  assert.equal(gateway.link.count("leave"), 0);
  second();
  await clock.advance(50);
  const third = room.on("a", () => {});
  await clock.advance(1_000);
  assert.equal(gateway.link.count("leave"), 0);
  third();
  await clock.advance(1_000);
  assert.equal(gateway.link.count("leave"), 1);
  assert.equal(room.state.state, "unsubscribed");
});

test("a room is the same object each time", () => {
  const { client } = play();
  assert.equal(client.room("r"), client.room("r"));
});

test("after a lost connection a room is joined again from the last offset that was read", async () => {
  const { client, clock, gateway } = await playConnected();
  const got: unknown[] = [];
  client.room("r").on("message", (data) => got.push(data));
  await settle();
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 3 });
  await gateway.link.message("r", "four", 4);
  await comeBack({ clock, gateway });
  const { after, epoch } = gateway.link.last("join");
  assert.deepEqual([after, epoch], [4, "e1"]);
  await gateway.link.message("r", "five", 5);
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 5, recovered: true });
  assert.deepEqual(got, ["four", "five"]);
  assert.deepEqual(client.room("r").state, { state: "joined", reason: "joined", recovered: true });
});

test("a message that comes twice is told once", async () => {
  const { client, clock, gateway } = await playConnected();
  const got: unknown[] = [];
  client.room("r").on("message", (data) => got.push(data));
  await settle();
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 0 });
  await gateway.link.message("r", "one", 1);
  await comeBack({ clock, gateway }, { recovered: true });
  await gateway.link.message("r", "one", 1);
  await gateway.link.message("r", "two", 2);
  assert.deepEqual(got, ["one", "two"]);
});

test("what is missed may come behind the answer that says that it comes, and is told", async () => {
  const { client, clock, gateway } = await playConnected();
  const got: unknown[] = [];
  client.room("r").on("message", (data) => got.push(data));
  await settle();
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 3 });
  await comeBack({ clock, gateway });
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 4, recovered: true });
  await gateway.link.message("r", "four", 4);
  assert.deepEqual(got, ["four"]);
});

test("a room that has lost messages says so, and goes on from where it is now", async () => {
  const { client, clock, gateway } = await playConnected();
  const states: RoomState[] = [];
  const got: unknown[] = [];
  const room = client.room("r");
  room.onState((state) => states.push(state));
  room.on("message", (data) => got.push(data));
  await settle();
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 70 });
  await comeBack({ clock, gateway });
  await gateway.link.answer("join", { room: "r", epoch: "e2", offset: 2, recovered: false });
  await gateway.link.message("r", "three", 3);
  assert.deepEqual(states.at(-1), { state: "joined", reason: "joined", recovered: false });
  assert.deepEqual([got, room.epoch, room.offset], [["three"], "e2", 3]);
});

test("a join that was cut off is asked for again with the same offset", async () => {
  const { client, clock, gateway } = await playConnected();
  client.room("r").on("message", () => {});
  await settle();
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 9 });
  await comeBack({ clock, gateway });
  await comeBack({ clock, gateway });
  assert.equal(gateway.link.last("join")["after"], 9);
});

test("a room that is refused for now is asked for again, and one that is refused for good is not", async () => {
  const { client, clock, gateway } = await playConnected();
  const room = client.room("r");
  const joined = room.join();
  await settle();
  await gateway.link.refuse("join", "room_full");
  await clock.advance(10_000);
  assert.equal(gateway.link.count("join"), 2);
  await gateway.link.refuse("join", "access_denied");
  await assert.rejects(joined, { code: "access_denied" });
  await clock.advance(100_000);
  assert.equal(gateway.link.count("join"), 2);
  assert.deepEqual(room.state, { state: "unsubscribed", reason: "access_denied" });
});

test("a join can be aborted", async () => {
  const { client, clock, gateway } = await playConnected();
  const controller = new AbortController();
  const joined = client.room("r").join({ signal: controller.signal });
  await settle();
  controller.abort(new Error("enough"));
  await assert.rejects(joined, { message: "enough" });
  await clock.advance(1_000);
  assert.equal(gateway.link.count("leave"), 1);
});

test("a room that is left and joined again at once takes the second answer for its own", async () => {
  const { client, clock, gateway } = await playConnected();
  const room = client.room("r");
  const off = room.on("message", () => {});
  await settle();
  const first = gateway.link.last("join").id;
  off();
  await clock.advance(1_000);
  room.on("message", () => {});
  await settle();
  await gateway.link.push({ id: first, ok: true, room: "r", offset: 1 });
  assert.equal(room.state.state, "joining");
  await gateway.link.answer("join", { room: "r", offset: 2 });
  assert.equal(room.state.state, "joined");
});

test("a session that is taken out of a room says why", async () => {
  const { client, gateway } = await playConnected();
  const room = client.room("r");
  room.on("message", () => {});
  await settle();
  await gateway.link.answer("join", { room: "r", offset: 1 });
  await gateway.link.push({ event: "revoked", data: { room: "r", reason: "access_denied" } });
  assert.deepEqual(room.state, { state: "unsubscribed", reason: "access_denied" });
});

test("presence is a snapshot, then those who come and go, those from before the snapshot too", async () => {
  const { client, gateway } = await playConnected();
  const presence = client.room("r").presence();
  await settle();
  await gateway.link.answer("join", { room: "r", offset: 1 });
  await gateway.link.push({ event: "presence", data: { room: "r", joined: ["cid"], left: [] } });
  await gateway.link.answer("presence", { users: ["ann", "bob"], count: 2 });
  assert.deepEqual(presence.users, ["ann", "bob", "cid"]);
  await gateway.link.push({ event: "presence", data: { room: "r", joined: ["dan"], left: ["ann"] } });
  assert.deepEqual([presence.users, presence.count], [["bob", "cid", "dan"], 3]);
});

test("a history is read page by page, from the newest message to the oldest", async () => {
  const { client, gateway } = await playConnected();
  const message = (offset: number) => ({
    event: "message",
    data: offset,
    meta: { room: "r", id: `${offset}`, offset, time: 0 },
  });
  const read = (async () => {
    const got = [];
    for await (const { data } of client.room("r").history({ limit: 3 })) got.push(data);
    return got;
  })();
  await settle();
  assert.equal(gateway.link.last("history")["limit"], 3);
  await gateway.link.answer("history", {
    messages: [message(8), message(9)],
    epoch: "e1",
    truncated: false,
    more: true,
  });
  const { before, limit } = gateway.link.last("history");
  assert.deepEqual([before, limit], [8, 1]);
  await gateway.link.answer("history", { messages: [message(7)], epoch: "e1", truncated: false });
  assert.deepEqual(await read, [9, 8, 7]);
});
