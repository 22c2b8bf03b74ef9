import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, enter, forEveryClient, must } from "./support/clients.mjs";
import { cluster, kept, room } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Record } from "./support/record.mjs";
import { until } from "./support/wait.mjs";

const agents = room("agents", "agents-*", {
  access: { join: "'agent' in claims.roles", publish: "'writer' in claims.roles", presence: "true" },
});
const checked = room("checked", "checked-*", {
  schemas: { message: { type: "object", required: ["text"] } },
});

const gateway = await useGateway([cluster(), kept, agents, checked]);

/** Two clients in one new room. */
async function pair(kind, prefix = "room") {
  const name = fresh(prefix);
  const ada = await enter(gateway, kind, "ada");
  const bob = await enter(gateway, kind, "bob");
  await must(ada, "join", name);
  await must(bob, "join", name);
  return { name, ada, bob };
}

forEveryClient("rooms", (kind) => {
  test("join answers with the room, its epoch and its offset", async () => {
    const socket = await enter(gateway, kind, "ada");
    const name = fresh("kept");
    const joined = await must(socket, "join", name);
    assert.equal(joined.room, name);
    assert.equal(typeof joined.epoch, "string");
    const { offset } = await must(socket, "publish", name, "message", { text: "one" });
    assert.ok(offset > joined.offset);
    await must(socket, "leave", name);
    const { offset: position, epoch } = await must(socket, "join", name);
    assert.deepEqual([position, epoch], [offset, joined.epoch]);
  });

  test("a message reaches every member with its data and meta", async () => {
    const { name, ada, bob } = await pair(kind, "kept");
    const records = [new Record(ada, "message"), new Record(bob, "message")];
    const before = Date.now();
    const { id, offset } = await must(ada, "publish", name, "message", { text: "hello" });
    for (const record of records) {
      const [{ data, meta }] = await record.count(1);
      assert.deepEqual(data, { text: "hello" });
      assert.deepEqual([meta.room, meta.from, meta.id, meta.offset], [name, "ada", id, offset]);
      assert.ok(Math.abs(meta.time - before) < 60_000, `time is in milliseconds: ${meta.time}`);
    }
  });

  test("a member that left gets nothing more", async () => {
    const { name, ada, bob } = await pair(kind);
    const record = new Record(bob, "message");
    await must(ada, "publish", name, "message", 1);
    await record.count(1);
    await must(bob, "leave", name);
    await must(ada, "publish", name, "message", 2);
    const other = fresh("room");
    await must(bob, "join", other);
    await must(ada, "publish", other, "message", 3);
    await record.count(2);
    assert.deepEqual(record.data, [1, 3]);
  });

  test("echo false spares the publisher only", async () => {
    const { name, ada, bob } = await pair(kind);
    const [own, other] = [new Record(ada, "message"), new Record(bob, "message")];
    await must(ada, "publish", name, "message", "quiet", { echo: false });
    await must(ada, "publish", name, "message", "loud");
    await other.count(2);
    await own.count(1);
    assert.deepEqual(other.data, ["quiet", "loud"]);
    assert.deepEqual(own.data, ["loud"]);
  });

  test("a publish id that comes twice is stored and delivered once", async () => {
    const { name, ada, bob } = await pair(kind, "kept");
    const record = new Record(bob, "message");
    const first = await must(ada, "publish", name, "message", "first", { id: "order-1" });
    const second = await must(ada, "publish", name, "message", "again", { id: "order-1" });
    assert.deepEqual([second.id, second.offset], [first.id, first.offset]);
    await must(ada, "publish", name, "message", "next");
    await record.count(2);
    assert.deepEqual(record.data, ["first", "next"]);
    const { messages } = await must(ada, "history", name);
    assert.deepEqual(messages.map((message) => message.data), ["first", "next"]);
  });

  test("a member is in the room as often as it joins: once", async () => {
    const { name, ada, bob } = await pair(kind);
    const record = new Record(bob, "message");
    await must(bob, "join", name);
    await must(ada, "publish", name, "message", 1);
    await must(ada, "publish", name, "message", 2);
    await record.count(2);
    assert.deepEqual(record.data, [1, 2]);
  });

  test("a member hears who joins and who leaves", async () => {
    const name = fresh("kept");
    const ada = await enter(gateway, kind, "ada");
    const bob = await enter(gateway, kind, "bob");
    await must(ada, "join", name);
    const record = new Record(ada, "presence");
    const told = (change) => until(`bob ${change}`, () => record.data.some((data) => data[change].includes("bob")));
    await must(bob, "join", name);
    await told("joined");
    bob.disconnect();
    await told("left");
    assert.deepEqual(record.data.at(-1), { room: name, joined: [], left: ["bob"] });
  });

  test("presence lists a user with two sessions once", async () => {
    const { name, ada } = await pair(kind, "kept");
    const again = await enter(gateway, kind, "ada");
    await must(again, "join", name);
    const { users, count } = await must(ada, "presence", name);
    assert.deepEqual([[...users].sort(), count], [["ada", "bob"], 2]);
  });

  test("history comes in order and by the page", async () => {
    const { name, ada } = await pair(kind, "kept");
    const at = [];
    for (let n = 1; n <= 5; n += 1) at[n] = (await must(ada, "publish", name, "message", n)).offset;
    const page = async (options) => {
      const { messages } = await must(ada, "history", name, options);
      return messages.map((message) => message.data);
    };
    assert.deepEqual(await page({}), [1, 2, 3, 4, 5]);
    assert.deepEqual(await page({ after: at[3] }), [4, 5]);
    assert.deepEqual(await page({ before: at[3] }), [1, 2]);
    assert.deepEqual(await page({ limit: 2 }), [4, 5]);
    assert.deepEqual(await page({ after: at[1], limit: 2 }), [2, 3]);
    const { messages, epoch } = await must(ada, "history", name, { limit: 1 });
    assert.equal(epoch, (await must(ada, "join", name)).epoch);
    const [{ event, meta }] = messages;
    assert.deepEqual([event, meta.from, meta.offset], ["message", "ada", at[5]]);
  });

  test("join with after brings the missed messages before its answer", async () => {
    const { name, ada, bob } = await pair(kind, "kept");
    const { epoch } = await must(bob, "join", name);
    const record = new Record(bob, "message");
    await must(bob, "leave", name);
    const at = [];
    for (let n = 1; n <= 3; n += 1) at[n] = (await must(ada, "publish", name, "message", n)).offset;
    const joined = await must(bob, "join", name, { after: at[1], epoch });
    assert.deepEqual(record.data, [2, 3]);
    assert.deepEqual([joined.recovered, joined.offset], [true, at[3]]);
  });

  test("the same join twice at once brings the missed messages once", async () => {
    const { name, ada, bob } = await pair(kind, "kept");
    const record = new Record(bob, "message");
    await must(bob, "leave", name);
    const { offset: after } = await must(ada, "publish", name, "message", 1);
    for (const n of [2, 3]) await must(ada, "publish", name, "message", n);
    const joins = await Promise.all([1, 2].map(() => must(bob, "join", name, { after })));
    assert.deepEqual(joins.map(({ recovered }) => recovered), [true, true]);
    await must(ada, "publish", name, "message", 4);
    await record.count(3);
    assert.deepEqual(record.data, [2, 3, 4]);
  });

  test("join with after of another epoch is told that it missed something", async () => {
    const { name, ada, bob } = await pair(kind, "kept");
    await must(ada, "publish", name, "message", 1);
    await must(bob, "leave", name);
    const joined = await must(bob, "join", name, { after: 0, epoch: "long-gone" });
    assert.equal(joined.recovered, false);
  });

  test("a direct message reaches all sessions of the user and nobody else", async () => {
    const [ada, bob] = [fresh("ada"), fresh("bob")];
    const sender = await enter(gateway, kind, ada);
    const sessions = [await enter(gateway, kind, bob), await enter(gateway, kind, bob)];
    const overheard = new Record(sender, "note");
    const records = sessions.map((session) => new Record(session, "note"));
    await must(sender, "direct", bob, "note", { text: "psst" });
    for (const record of records) {
      const [{ data, meta }] = await record.count(1);
      assert.deepEqual([data, meta.from, meta.room], [{ text: "psst" }, ada, undefined]);
    }
    assert.deepEqual(overheard.data, []);
  });

  test("a broadcast needs its claim and reaches everyone", async () => {
    const crier = await enter(gateway, kind, "crier", { claims: { sluice: { broadcast: true } } });
    const bystander = await enter(gateway, kind, "bystander");
    const event = fresh("news");
    const record = new Record(bystander, event);
    const refused = await ask(bystander, "broadcast", event, "no");
    assert.equal(refused.error.code, "broadcast_denied");
    await must(crier, "broadcast", event, "yes");
    await record.count(1);
    assert.deepEqual(record.data, ["yes"]);
  });

  test("access rules decide over the claims", async () => {
    const name = fresh("agents");
    const reader = await enter(gateway, kind, "reader", { claims: { roles: ["agent"] } });
    const stranger = await enter(gateway, kind, "stranger", { claims: { roles: [] } });
    assert.equal((await ask(stranger, "join", name)).error.code, "access_denied");
    await must(reader, "join", name);
    assert.equal((await ask(reader, "publish", name, "message", 1)).error.code, "access_denied");
  });

  test("data that the room's schema refuses is refused", async () => {
    const { name, ada } = await pair(kind, "checked");
    const refused = await ask(ada, "publish", name, "message", { words: "none" });
    assert.equal(refused.ok, false);
    assert.equal(refused.error.code, "schema_violation");
    await must(ada, "publish", name, "message", { text: "fine" });
  });

  test("a request without a room name is refused with a code", async () => {
    const socket = await enter(gateway, kind, "ada");
    for (const args of [["join"], ["join", 7], ["join", ""], ["join", "x".repeat(257)]]) {
      const answer = await ask(socket, ...args);
      assert.equal(answer.ok, false, JSON.stringify(args));
      assert.match(answer.error.code, /^[a-z_]+$/);
      assert.ok(answer.error.message.length > 0);
    }
  });

  test("any UTF-8 is a room's name", async () => {
    const socket = await enter(gateway, kind, "ada");
    for (const name of ["a.b>c *", "Ünïcode 🦆", "\u0000\n", "é".repeat(128)]) {
      assert.equal((await must(socket, "join", name)).room, name);
    }
  });
});
