import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, enter, must } from "../client/support/clients.mjs";
import { fresh } from "../client/support/names.mjs";
import { Native } from "../client/support/native.mjs";
import { Record } from "../client/support/record.mjs";
import { useFleet } from "./support/use.mjs";

const { fleet } = await useFleet();
const [a, b, c] = fleet.gateways;

const byServerApi = (gateway, name, body, id) =>
  gateway.api("POST", `/v1/rooms/${name}/messages`, body, id && { "idempotency-key": id });

test("members on all gateways get the same messages in the same order, whatever they speak", async () => {
  const name = fresh("kept");
  const stock = await Promise.all([a, b, c].map((gateway, n) => enter(gateway, STOCK, `stock-${n}`)));
  const native = await Promise.all([a, b, c].map((gateway, n) => Native.enter(gateway, `native-${n}`)));
  for (const socket of stock) await must(socket, "join", name);
  for (const one of native) await one.must({ op: "join", room: name });
  const records = stock.map((socket) => new Record(socket, "n"));
  await Promise.all([...stock.keys()].map(async (n) => {
    for (let k = 0; k < 30; k += 1) {
      await must(stock[n], "publish", name, "n", `stock ${n} ${k}`);
      await native[n].must({ op: "publish", room: name, event: "n", data: `native ${n} ${k}` });
    }
  }));
  for (const record of records) await record.count(180);
  for (const one of native) await one.count("n", 180);
  const [first] = records;
  for (const record of records) assert.deepEqual(record.data, first.data);
  for (const one of native) assert.deepEqual(one.received("n").map(({ data }) => data), first.data);
  for (const n of stock.keys()) {
    const mine = first.data.filter((text) => text.startsWith(`stock ${n} `));
    assert.deepEqual(mine, Array.from({ length: 30 }, (_, k) => `stock ${n} ${k}`));
  }
});

test("the same id published at two gateways is stored once, and has one offset", async () => {
  const name = fresh("kept");
  const member = await enter(c, STOCK, "member");
  await must(member, "join", name);
  const record = new Record(member, "n");
  const [first, second] = await Promise.all([enter(a, STOCK, "ann"), enter(b, STOCK, "ann")]);
  const answers = [
    await must(first, "publish", name, "n", "once", { id: "the-id" }),
    await must(second, "publish", name, "n", "once", { id: "the-id" }),
  ];
  assert.equal(answers[0].offset, answers[1].offset);
  const { body } = await byServerApi(c, name, { event: "n", data: "once" }, "the-id");
  assert.deepEqual([body.offset, body.duplicate], [answers[0].offset, true]);
  await must(first, "publish", name, "n", "another");
  await record.count(2);
  assert.deepEqual(record.data, ["once", "another"]);
});

test("two publishers with one id at the same moment are one message", async () => {
  const name = fresh("kept");
  const sockets = await Promise.all([a, b, c].map((gateway) => enter(gateway, STOCK, "ann")));
  const answers = await Promise.all(sockets.map((socket) => must(socket, "publish", name, "n", "once", { id: "same" })));
  assert.equal(new Set(answers.map(({ offset }) => offset)).size, 1);
  const histories = await Promise.all(sockets.map((socket) => must(socket, "history", name)));
  assert.deepEqual(histories.map(({ messages }) => messages.length), [1, 1, 1]);
  assert.equal(new Set(histories.map(({ epoch }) => epoch)).size, 1);
});

test("every gateway reads the same history, with the same epoch", async () => {
  const name = fresh("kept");
  const sockets = await Promise.all([a, b, c].map((gateway, n) => enter(gateway, STOCK, `user-${n}`)));
  for (let n = 0; n < 12; n += 1) await must(sockets[n % 3], "publish", name, "n", n);
  const histories = await Promise.all(sockets.map((socket) => must(socket, "history", name)));
  for (const { messages, epoch } of histories) {
    assert.deepEqual(messages.map(({ data }) => data), Array.from({ length: 12 }, (_, n) => n));
    assert.equal(epoch, histories[0].epoch);
  }
  const { body } = await a.api("GET", `/v1/rooms/${name}/history?after=0&limit=5`);
  assert.deepEqual(body.messages.map(({ data }) => data), [0, 1, 2, 3, 4]);
});

test("a join with the last offset at another gateway brings what was missed before its answer", async () => {
  const name = fresh("kept");
  const publisher = await enter(a, STOCK, "publisher");
  const first = await Native.enter(b, "nat");
  const { epoch } = await first.must({ op: "join", room: name });
  await must(publisher, "publish", name, "n", 0);
  const [{ meta }] = await first.count("n", 1);
  first.socket.close(1000);
  for (let n = 1; n <= 20; n += 1) await must(publisher, "publish", name, "n", n);
  const second = await Native.enter(c, "nat");
  const answer = await second.must({ op: "join", room: name, after: meta.offset, epoch });
  assert.equal(answer.recovered, true);
  assert.deepEqual(second.received("n").map(({ data }) => data), Array.from({ length: 20 }, (_, n) => n + 1));
});

test("a room without history reaches its members on all gateways", async () => {
  const name = fresh("live");
  const sockets = await Promise.all([a, b, c].map((gateway, n) => enter(gateway, STOCK, `user-${n}`)));
  for (const socket of sockets) await must(socket, "join", name);
  const records = sockets.map((socket) => new Record(socket, "n"));
  for (let n = 0; n < 20; n += 1) await must(sockets[0], "publish", name, "n", n);
  for (const record of records) {
    await record.count(20);
    assert.deepEqual(record.data, Array.from({ length: 20 }, (_, n) => n));
  }
});

test("a name of any UTF-8 is the same room on every gateway, and no other", async () => {
  const names = ["kept-ä.b *>", "kept-ä.b", "kept-ä", "kept-$x\u0000y", "kept-=41", "kept-A"];
  const member = await enter(a, STOCK, "member");
  const publisher = await enter(b, STOCK, "publisher");
  const record = new Record(member, "n");
  for (const name of names) await must(member, "join", name);
  for (const name of names) await must(publisher, "publish", name, "n", name);
  await record.count(names.length);
  assert.deepEqual(record.messages.map(({ data, meta }) => [data, meta.room]), names.map((name) => [name, name]));
});

test("a backend puts a user of another gateway into a room, and takes the user out", async () => {
  const name = fresh("kept");
  const sockets = await Promise.all([b, c].map((gateway) => enter(gateway, STOCK, "guest")));
  const records = sockets.map((socket) => new Record(socket, "n"));
  const put = await a.api("PUT", `/v1/rooms/${name}/users/guest`);
  assert.deepEqual([put.status, put.body.sessions], [200, 2]);
  await byServerApi(a, name, { event: "n", data: "in" });
  for (const record of records) await record.count(1);
  const taken = await a.api("DELETE", `/v1/rooms/${name}/users/guest`);
  assert.deepEqual([taken.status, taken.body.sessions], [200, 2]);
  await byServerApi(a, name, { event: "n", data: "out" });
  for (const socket of sockets) await must(socket, "join", name);
  await byServerApi(a, name, { event: "n", data: "again" });
  for (const record of records) {
    await record.count(2);
    assert.deepEqual(record.data, ["in", "again"]);
  }
});
