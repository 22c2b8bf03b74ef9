import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { STOCK, ask, enter, must } from "../client/support/clients.mjs";
import { fresh } from "../client/support/names.mjs";
import { Native } from "../client/support/native.mjs";
import { Record } from "../client/support/record.mjs";
import { until, within } from "../client/support/wait.mjs";
import { fleetCluster } from "./support/documents.mjs";
import { Link } from "./support/link.mjs";
import { useFleet } from "./support/use.mjs";

/** How long a gateway may hold a message for the backbone, and some time to answer. */
const HELD = 6000;
/** When a fleet has healed after NATS came back. */
const HEALED = 20_000;

const { nats, fleet, documents } = await useFleet();
const [a, b] = fleet.gateways;
const [node] = nats.nodes;

const OUTAGES = [
  { name: "was killed", begin: () => node.kill(), end: () => nats.restart(node) },
  { name: "hangs", begin: () => node.pause(), end: () => node.resume() },
  { name: "cannot be reached", begin: () => nats.cut(node), end: () => nats.mend(node) },
];

/** Publishes until it is acknowledged. */
const published = (socket, name, data) =>
  until("the backbone to be back", async () => (await ask(socket, "publish", name, "n", data, { id: data })).ok, HEALED);

for (const { name: what, begin, end } of OUTAGES) {
  describe(`a NATS that ${what}`, () => {
    test("refuses what it cannot keep, loses nothing that was acknowledged, and ends no connection", async () => {
      const name = fresh("kept");
      const [publisher, member] = [await enter(a, STOCK, "publisher"), await enter(b, STOCK, "member")];
      const native = await Native.enter(b, "nat");
      await must(member, "join", name);
      await native.must({ op: "join", room: name });
      const record = new Record(member, "n");
      const losses = [publisher, member].map((socket) => new Record(socket, "disconnect"));
      await must(publisher, "publish", name, "n", "before");
      await record.count(1);

      await begin();
      const texts = Array.from({ length: 5 }, (_, n) => `while away ${n}`);
      const answers = await within("an answer, in time", Promise.all(
        texts.map((text) => ask(publisher, "publish", name, "n", text, { id: text })),
      ), HELD);
      for (const { ok, error } of answers) {
        if (!ok) assert.equal(error.code, "backbone_unavailable");
      }
      const refused = await within("an answer of the server API, in time",
        a.api("POST", `/v1/rooms/${name}/messages`, { event: "n", data: "by API" }, { "idempotency-key": "by API" }), HELD);
      if (refused.status !== 200) assert.deepEqual([refused.status, refused.body.error.code], [503, "backbone_unavailable"]);
      await end();

      for (const text of [...texts, "by API"]) await published(publisher, name, text);
      await published(publisher, name, "after");
      await record.count(8);
      assert.deepEqual([...record.data].sort(), ["after", "before", "by API", ...texts].sort());
      assert.deepEqual((await native.count("n", 8)).map(({ data }) => data), record.data);
      const { messages } = await must(member, "history", name);
      assert.deepEqual(messages.map(({ data }) => data), record.data);
      assert.deepEqual(losses.flatMap(({ messages: lost }) => lost), []);
    });

    test("leaves a gateway's own rooms without history alone", async () => {
      const name = fresh("live");
      const [ann, ben] = [await enter(a, STOCK, "ann"), await enter(a, STOCK, "ben")];
      await must(ben, "join", name);
      const record = new Record(ben, "n");
      await begin();
      try {
        for (let n = 0; n < 5; n += 1) await must(ann, "publish", name, "n", n);
        await record.count(5);
        const late = await enter(a, STOCK, "late");
        await must(late, "join", name);
        await must(ann, "publish", name, "n", 5);
        await record.count(6);
        assert.deepEqual(record.data, [0, 1, 2, 3, 4, 5]);
      } finally {
        await end();
      }
      const other = await enter(b, STOCK, "other");
      await until("the room to be one again", async () => {
        await must(other, "publish", name, "n", "from elsewhere");
        return record.data.includes("from elsewhere");
      }, HEALED);
    });
  });
}

test("a join that reads on is refused while NATS is away, and gets what it asks for afterwards", async () => {
  const name = fresh("kept");
  const publisher = await enter(a, STOCK, "publisher");
  const { offset: after } = await must(publisher, "publish", name, "n", 0);
  await must(publisher, "publish", name, "n", 1);
  // Its gateway has got nothing of the room so far, but knows it when NATS goes.
  const [member, late] = [await enter(b, STOCK, "member"), await enter(b, STOCK, "late")];
  await must(member, "join", name);
  const record = new Record(late, "n");
  await node.pause();
  const { error } = await new Promise((resolve) => late.emit("join", name, { after }, resolve));
  assert.equal(error.code, "backbone_unavailable");
  await node.resume();
  const joined = await until("to be let in", async () => {
    const answer = await ask(late, "join", name, { after });
    return answer.ok && answer;
  }, HEALED);
  assert.equal(joined.recovered, true);
  assert.deepEqual(record.data, [1]);
});

for (const [how, part] of [["held back", (link) => link.cut()], ["broken", (link) => link.sever()]]) {
  test(`a gateway whose connection to NATS was ${how} makes good what its members missed`, async () => {
    const link = await Link.open(node.clients);
    const [, ...rooms] = documents;
    const [gateway] = await fleet.add(1, [fleetCluster(`nats://127.0.0.1:${link.port}`), ...rooms]);
    const name = fresh("kept");
    const [member, publisher] = [await enter(gateway, STOCK, "member"), await enter(b, STOCK, "publisher")];
    await must(member, "join", name);
    const [record, losses] = [new Record(member, "n"), new Record(member, "disconnect")];
    await must(publisher, "publish", name, "n", 0);
    await record.count(1);
    part(link);
    for (let n = 1; n <= 100; n += 1) await must(publisher, "publish", name, "n", n);
    assert.equal(record.messages.length, 1);
    link.mend();
    await until("what was missed", () => record.messages.length >= 101, HEALED);
    await must(publisher, "publish", name, "n", 101);
    await record.count(102);
    assert.deepEqual(record.data, Array.from({ length: 102 }, (_, n) => n));
    assert.deepEqual(losses.messages, []);
    await fleet.kill(gateway);
    link.close();
  });
}
