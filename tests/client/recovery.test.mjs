import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KINDS, STOCK, connected, cut, enter, must } from "./support/clients.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Native } from "./support/native.mjs";
import { Record } from "./support/record.mjs";
import { next, until } from "./support/wait.mjs";

const gateway = await useGateway();

/** Ends the TCP connection under a WebSocket as a cable that is pulled does: without a close frame. */
function pull(socket) {
  socket.io.engine.transport.ws.terminate();
}

/** A member that has had one message, and a publisher beside it. */
async function memberAndPublisher(kind) {
  const name = fresh("kept");
  const publisher = await enter(gateway, STOCK, "publisher");
  const member = await enter(gateway, kind, "member", { reconnectionDelay: 100 });
  await must(member, "join", name);
  const record = new Record(member, "n");
  await must(publisher, "publish", name, "n", 0);
  await record.count(1);
  return { name, publisher, member, record };
}

async function publishNumbers(publisher, name, from, to) {
  for (let n = from; n <= to; n += 1) await must(publisher, "publish", name, "n", n);
}

const numbers = (to) => Array.from({ length: to + 1 }, (_, n) => n);

for (const kind of KINDS.filter((candidate) => candidate.recovers)) {
  describe(`recovery (${kind.name})`, () => {
    test("a client that comes back gets exactly what it missed, in order", async () => {
      const { name, publisher, member, record } = await memberAndPublisher(kind);
      assert.equal(member.recovered, false);
      const back = next(member, "connect");
      await cut(member);
      await publishNumbers(publisher, name, 1, 50);
      await back;
      assert.equal(member.recovered, true);
      await publishNumbers(publisher, name, 51, 60);
      await record.count(61);
      assert.deepEqual(record.data, numbers(60));
    });

    test("a client keeps its rooms through ten losses of the network in a row", async () => {
      const { name, publisher, member, record } = await memberAndPublisher(kind);
      for (let loss = 0; loss < 10; loss += 1) {
        const back = next(member, "connect");
        await cut(member);
        await publishNumbers(publisher, name, loss * 3 + 1, loss * 3 + 3);
        await back;
        assert.equal(member.recovered, true, `loss ${loss}`);
      }
      await publishNumbers(publisher, name, 31, 31);
      await record.count(32);
      assert.deepEqual(record.data, numbers(31));
    });

    test("a client that recovers, and joins again since its last join was never answered, gets nothing twice", async () => {
      const { name, publisher, member, record } = await memberAndPublisher(kind);
      const { offset: after } = record.messages[0].meta;
      let again;
      member.once("connect", () => { again = Promise.all([1, 2].map(() => must(member, "join", name, { after }))); });
      const back = next(member, "connect");
      await cut(member);
      await publishNumbers(publisher, name, 1, 5);
      await back;
      assert.equal(member.recovered, true);
      for (const { offset, recovered } of await again) {
        assert.equal(recovered, true);
        assert.ok(offset >= after);
      }
      await publishNumbers(publisher, name, 6, 6);
      await record.count(7);
      assert.deepEqual(record.data, numbers(6));
    });

    test("messages published while the transport dies are neither lost nor repeated", async () => {
      const { name, publisher, member, record } = await memberAndPublisher(kind);
      let last = 0;
      let over = false;
      const publishing = (async () => {
        while (!over) await must(publisher, "publish", name, "n", (last += 1));
      })();
      for (let loss = 0; loss < 3; loss += 1) {
        await record.count(record.messages.length + 20);
        const back = next(member, "connect");
        await cut(member);
        await back;
        assert.equal(member.recovered, true);
      }
      over = true;
      await publishing;
      await record.count(last + 1);
      assert.deepEqual(record.data, numbers(last));
    });
  });
}

test("a client whose cable was pulled recovers though the gateway has not seen the loss", async () => {
  const { name, publisher, member, record } = await memberAndPublisher(STOCK);
  const back = next(member, "connect");
  pull(member);
  await publishNumbers(publisher, name, 1, 5);
  await back;
  assert.equal(member.recovered, true);
  await record.count(6);
  assert.deepEqual(record.data, numbers(5));
});

for (const [size, count] of [["less than may wait for a connection", 25], ["more than may wait for a connection", 100]]) {
  test(`a client that is cut again while it catches up with ${size} gets everything once`, async () => {
    const { name, publisher, member, record } = await memberAndPublisher(STOCK);
    const padding = "x".repeat(30_000);
    // It must not be back before there is all that it is to catch up with.
    member.io.reconnection(false);
    await cut(member);
    for (let n = 1; n <= count; n += 1) {
      await must(publisher, "publish", name, "padding", padding);
      await must(publisher, "publish", name, "n", n);
    }
    member.io.reconnection(true);
    member.once("padding", () => pull(member));
    const connects = new Record(member, "connect");
    member.connect();
    await connects.count(2);
    assert.equal(member.recovered, true);
    await record.count(count + 1);
    assert.deepEqual(record.data, numbers(count));
  });
}

test("a client that has received nothing yet recovers too", async () => {
  const name = fresh("kept");
  const publisher = await enter(gateway, STOCK, "publisher");
  const member = await enter(gateway, STOCK, "member", { reconnectionDelay: 100 });
  await must(member, "join", name);
  const record = new Record(member, "n");
  const back = next(member, "connect");
  await cut(member);
  await publishNumbers(publisher, name, 0, 4);
  await back;
  await record.count(5);
  assert.deepEqual(record.data, numbers(4));
});

test("a member of many rooms loses nothing in any of them", async () => {
  const names = Array.from({ length: 8 }, () => fresh("kept"));
  const publishers = await Promise.all([1, 2, 3].map((n) => enter(gateway, STOCK, `publisher-${n}`)));
  const member = await enter(gateway, STOCK, "member", { reconnectionDelay: 50 });
  const records = names.map((name) => new Record(member, name));
  for (const name of names) await must(member, "join", name);
  const published = Object.fromEntries(names.map((name) => [name, []]));
  let over = false;
  const publishing = publishers.map(async (publisher, who) => {
    for (let n = 0; !over; n += 1) {
      const name = names[n % names.length];
      const { offset } = await must(publisher, "publish", name, name, `${who}:${n}`);
      published[name].push([offset, `${who}:${n}`]);
    }
  });
  for (let loss = 0; loss < 5; loss += 1) {
    await records[0].count(records[0].messages.length + 5);
    const back = next(member, "connect");
    pull(member);
    await back;
    assert.equal(member.recovered, true);
  }
  over = true;
  await Promise.all(publishing);
  for (const [n, name] of names.entries()) {
    const wanted = published[name].sort(([a], [b]) => a - b).map(([, data]) => data);
    await records[n].count(wanted.length);
    assert.deepEqual(records[n].data, wanted);
  }
});

test("a publisher that wanted no echo gets none by recovery either", async () => {
  const name = fresh("kept");
  const member = await enter(gateway, STOCK, "member");
  const other = await enter(gateway, STOCK, "other");
  for (const socket of [member, other]) await must(socket, "join", name);
  const record = new Record(member, "n");
  await must(other, "publish", name, "n", "first");
  await record.count(1);
  await must(member, "publish", name, "n", "my own", { echo: false });
  const back = next(member, "connect");
  await cut(member);
  await must(other, "publish", name, "n", "last");
  await back;
  await record.count(2);
  assert.equal(member.recovered, true);
  assert.deepEqual(record.data, ["first", "last"]);
});

test("a client that left for good is not recovered", async () => {
  const { member } = await memberAndPublisher(STOCK);
  member.disconnect();
  await connected(member.connect());
  assert.equal(member.recovered, false);
});

test("another user cannot take over a session", async () => {
  const { name, publisher, member } = await memberAndPublisher(STOCK);
  const thief = await enter(gateway, STOCK, "thief", {
    auth: { token: gateway.token("thief"), pid: member._pid, offset: member._lastOffset },
  });
  const stolen = new Record(thief, "n");
  await publishNumbers(publisher, name, 1, 1);
  await must(thief, "join", fresh("room"));
  assert.deepEqual(stolen.data, []);
});

test("presence shows no leave and join for a short loss of the network", async () => {
  const { name, publisher, member } = await memberAndPublisher(STOCK);
  await must(publisher, "join", name);
  const changes = new Record(publisher, "presence");
  const back = next(member, "connect");
  await cut(member);
  await back;
  assert.equal(member.recovered, true);
  await must(await enter(gateway, STOCK, "third"), "join", name);
  await until("the third user", () => changes.data.some(({ joined }) => joined.includes("third")));
  assert.deepEqual(changes.data.flatMap(({ left }) => left), []);
  assert.deepEqual(changes.data.flatMap(({ joined }) => joined).sort(), ["member", "publisher", "third"]);
});

test("the plain protocol recovers a session by its private id and last offset", async () => {
  const name = fresh("kept");
  const publisher = await enter(gateway, STOCK, "publisher");
  const first = await Native.enter(gateway, "nat");
  await first.must({ op: "join", room: name });
  await publishNumbers(publisher, name, 0, 0);
  const [{ offset }] = await first.count("n", 1);
  first.socket.terminate();
  await publishNumbers(publisher, name, 1, 3);
  const second = await Native.enter(gateway, "nat", { pid: first.hello.pid, offset });
  assert.equal(second.hello.recovered, true);
  await publishNumbers(publisher, name, 4, 4);
  const pushes = await second.count("n", 4);
  assert.deepEqual(pushes.map((push) => push.data), [1, 2, 3, 4]);
});
