import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, connected, cut, enter, must } from "./support/clients.mjs";
import { cluster, kept } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Record } from "./support/record.mjs";
import { until } from "./support/wait.mjs";

const short = { ...kept, spec: { ...kept.spec, history: { maxMessages: 10, maxAge: "1h" } } };
const gateway = await useGateway([cluster({ recovery: { window: "1s" } }), short]);

test("a client that comes back too late is told so", async () => {
  const observer = await enter(gateway, STOCK, "observer");
  const member = await enter(gateway, STOCK, "member", { reconnection: false });
  const name = fresh("kept");
  await must(observer, "join", name);
  await must(member, "join", name);
  const record = new Record(member, "n");
  await must(observer, "publish", name, "n", 1);
  await record.count(1);
  await cut(member);
  await until("the session to end", async () => (await must(observer, "presence", name)).count === 1);
  await connected(member.connect());
  assert.equal(member.recovered, false);
});

test("a client that missed more than is kept is told so, and gets no part of it", async () => {
  const publisher = await enter(gateway, STOCK, "publisher");
  const member = await enter(gateway, STOCK, "member", { reconnection: false });
  const name = fresh("kept");
  await must(member, "join", name);
  const record = new Record(member, "n");
  await must(publisher, "publish", name, "n", 0);
  await record.count(1);
  await cut(member);
  const published = await Promise.all(
    Array.from({ length: 30 }, (_, n) => must(publisher, "publish", name, "n", n + 1)),
  );
  await connected(member.connect());
  assert.equal(member.recovered, false);
  const joined = await must(member, "join", name);
  assert.equal(joined.offset, published.at(-1).offset);
  assert.deepEqual(record.data, [0]);
});
