import assert from "node:assert/strict";
import { test } from "node:test";
import { KINDS, STOCK, enter, must } from "./support/clients.mjs";
import { cluster, kept } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Native } from "./support/native.mjs";
import { Record } from "./support/record.mjs";
import { until, within } from "./support/wait.mjs";

const gateway = await useGateway([cluster({ namespaces: ["/", "/orders"] }), kept]);

test("members of one room meet whatever they speak", async () => {
  const name = fresh("kept");
  const stock = await enter(gateway, STOCK, "ada");
  const native = await Native.enter(gateway, "nat");
  const record = new Record(stock, "message");
  await must(stock, "join", name);
  await native.must({ op: "join", room: name });
  const published = await native.must({ op: "publish", room: name, event: "message", data: { n: 1 } });
  const [{ data, meta }] = await record.count(1);
  assert.deepEqual([data, meta.from, meta.id, meta.offset], [{ n: 1 }, "nat", published.messageId, published.offset]);
  await must(stock, "publish", name, "message", { n: 2 });
  const pushes = await native.count("message", 2);
  assert.deepEqual(pushes.map((push) => [push.data, push.meta.from]), [[{ n: 1 }, "nat"], [{ n: 2 }, "ada"]]);
  const { users } = await native.must({ op: "presence", room: name });
  assert.deepEqual([...users].sort(), ["ada", "nat"]);
});

test("every member sees every publisher's messages in one and the same order", async () => {
  const name = fresh("kept");
  const sockets = await Promise.all(KINDS.map((kind, n) => enter(gateway, kind, `user-${n}`)));
  const native = await Native.enter(gateway, "nat");
  await Promise.all(sockets.map((socket) => must(socket, "join", name)));
  await native.must({ op: "join", room: name });
  const records = sockets.map((socket) => new Record(socket, "n"));
  const each = 50;
  const publications = Array.from({ length: each }, (_, n) => [
    ...sockets.map((socket, who) => must(socket, "publish", name, "n", `${who}:${n}`)),
    native.must({ op: "publish", room: name, event: "n", data: `native:${n}` }),
  ]);
  await Promise.all(publications.flat());
  const total = each * (sockets.length + 1);
  const orders = await Promise.all(records.map((record) => record.count(total).then(() => record.data)));
  orders.push((await native.count("n", total)).map((push) => push.data));
  for (const order of orders) assert.deepEqual(order, orders[0]);
  assert.equal(new Set(orders[0]).size, total);
});

test("the plain protocol has every operation", async () => {
  const name = fresh("kept");
  const native = await Native.enter(gateway, "nat");
  const other = await Native.enter(gateway, "other");
  assert.equal(native.hello.user, "nat");
  assert.equal(typeof native.hello.session, "string");
  const joined = await native.must({ op: "join", room: name });
  assert.equal(joined.room, name);
  const first = await native.must({ op: "publish", room: name, event: "e", data: 1, messageId: "m-1" });
  const again = await native.must({ op: "publish", room: name, event: "e", data: 1, messageId: "m-1" });
  assert.equal(again.offset, first.offset);
  await native.must({ op: "publish", room: name, event: "e", data: 2, echo: false });
  const { messages } = await native.must({ op: "history", room: name });
  assert.deepEqual(messages.map((message) => message.data), [1, 2]);
  await native.must({ op: "direct", user: "other", event: "hint", data: "psst" });
  assert.equal((await other.count("hint", 1))[0].data, "psst");
  assert.deepEqual(native.received("e").map((push) => push.data), [1]);
  assert.equal((await native.ask({ op: "broadcast", event: "x", data: 1 })).error.code, "broadcast_denied");
  assert.ok((await native.must({ op: "refresh", token: gateway.token("nat") })).expires > 0);
  await native.must({ op: "leave", room: name });
});

test("the plain protocol names the namespace in its first frame", async () => {
  const name = fresh("kept");
  const orders = await Native.enter(gateway, "nat", { namespace: "/orders" });
  const stock = await enter(gateway, STOCK, "ada", { namespace: "/orders" });
  await must(stock, "join", name);
  await orders.must({ op: "join", room: name });
  await must(stock, "publish", name, "message", "here");
  await orders.count("message", 1);
  const lost = await Native.open(gateway);
  const answer = await lost.ask({ op: "connect", token: gateway.token("nat"), namespace: "/nowhere" });
  assert.deepEqual([answer.ok, answer.error.code], [false, "namespace_unknown"]);
});

test("a join with after brings what was missed, before its answer", async () => {
  const name = fresh("kept");
  const native = await Native.enter(gateway, "nat");
  const { epoch } = await native.must({ op: "join", room: name });
  await native.must({ op: "leave", room: name });
  const stock = await enter(gateway, STOCK, "ada");
  const { offset } = await must(stock, "publish", name, "message", 1);
  for (const n of [2, 3]) await must(stock, "publish", name, "message", n);
  const joined = await native.must({ op: "join", room: name, after: offset, epoch });
  assert.deepEqual(native.received("message").map((push) => push.data), [2, 3]);
  assert.equal(joined.recovered, true);
});

test("what is no frame of the protocol is answered with a code, and the connection goes on", async () => {
  const native = await Native.enter(gateway, "nat");
  for (const frame of ["{not json", "7", "{}", '{"op":"fly"}', '{"op":"join"}', '{"op":"join","room":7}']) {
    native.socket.send(frame);
  }
  await until("the answers", () => native.strays.length === 6);
  for (const { ok, error } of native.strays) {
    assert.equal(ok, false);
    assert.match(error.code, /^[a-z_]+$/);
  }
  await native.must({ op: "join", room: fresh("room") });
});

test("a connection that has not signed in may do nothing", async () => {
  const native = await Native.open(gateway);
  assert.equal((await native.ask({ op: "join", room: "r" })).error.code, "not_connected");
  assert.equal((await native.ask({ op: "connect", token: "nonsense" })).error.code, "token_malformed");
  await within("the close", native.closed);
});

test("a binary frame closes the connection with 1003", async () => {
  const native = await Native.enter(gateway, "nat");
  native.socket.send(Buffer.from([1, 2, 3]));
  assert.equal((await within("the close", native.closed)).code, 1003);
});
