import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KINDS, STOCK, cut, enter, must } from "../client/support/clients.mjs";
import { kept, room } from "../client/support/documents.mjs";
import { fresh } from "../client/support/names.mjs";
import { Native } from "../client/support/native.mjs";
import { Record } from "../client/support/record.mjs";
import { next } from "../client/support/wait.mjs";
import { Balancer } from "./support/balancer.mjs";
import { door, useFleet } from "./support/use.mjs";

const short = room("short", "short-*", { history: { maxMessages: 5 } });
const { fleet } = await useFleet({ rooms: [kept, short] });
const [a, b, c] = fleet.gateways;

/** A member that came to `a`, whose next connection leads to `b`, and a publisher at `c`. */
async function memberAndPublisher(kind, name = fresh("kept")) {
  const way = door(await Balancer.start());
  way.to(a);
  const publisher = await enter(c, STOCK, "publisher");
  const member = await enter(way, kind, "member", { reconnectionDelay: 100 });
  await must(member, "join", name);
  const record = new Record(member, "n");
  await must(publisher, "publish", name, "n", 0);
  await record.count(1);
  way.to(b);
  return { name, way, publisher, member, record };
}

async function publishNumbers(publisher, name, from, to) {
  for (let n = from; n <= to; n += 1) await must(publisher, "publish", name, "n", n);
}

const numbers = (to) => Array.from({ length: to + 1 }, (_, n) => n);
const websockets = KINDS.filter(({ recovers, transports }) => recovers && transports.length === 1 && transports[0] === "websocket");

for (const kind of websockets) {
  describe(`recovery at another gateway (${kind.name})`, () => {
    test("a client that closed its transport gets exactly what it missed, and stays in its rooms", async () => {
      const { name, publisher, member, record } = await memberAndPublisher(kind);
      const { id } = member;
      const back = next(member, "connect");
      await cut(member);
      await publishNumbers(publisher, name, 1, 50);
      await back;
      assert.deepEqual([member.recovered, member.id], [true, id]);
      await publishNumbers(publisher, name, 51, 60);
      await record.count(61);
      assert.deepEqual(record.data, numbers(60));
    });

    test("a client whose cable was pulled recovers though its owner has not seen the loss", async () => {
      const { name, publisher, member, record } = await memberAndPublisher(kind);
      const back = next(member, "connect");
      member.io.engine.transport.ws.terminate();
      await publishNumbers(publisher, name, 1, 5);
      await back;
      assert.equal(member.recovered, true);
      await publishNumbers(publisher, name, 6, 6);
      await record.count(7);
      assert.deepEqual(record.data, numbers(6));
    });

    test("a client goes from gateway to gateway ten times and loses nothing", async () => {
      const { name, way, publisher, member, record } = await memberAndPublisher(kind);
      for (let move = 1; move <= 10; move += 1) {
        way.to([a, b, c][move % 3]);
        const back = next(member, "connect");
        await cut(member);
        await publishNumbers(publisher, name, 3 * move - 2, 3 * move);
        await back;
        assert.equal(member.recovered, true, `move ${move}`);
      }
      await record.count(31);
      assert.deepEqual(record.data, numbers(30));
    });
  });
}

test("messages published while a client moves are neither lost nor repeated", async () => {
  const { name, way, publisher, member, record } = await memberAndPublisher(STOCK);
  let last = 0;
  let over = false;
  const publishing = (async () => {
    while (!over) await must(publisher, "publish", name, "n", (last += 1));
  })();
  for (const gateway of [b, c, a]) {
    way.to(gateway);
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

test("a client of the plain protocol recovers at another gateway", async () => {
  const name = fresh("kept");
  const publisher = await enter(c, STOCK, "publisher");
  const first = await Native.enter(a, "nat");
  await first.must({ op: "join", room: name });
  await publishNumbers(publisher, name, 0, 0);
  const [{ offset }] = await first.count("n", 1);
  first.socket.terminate();
  await publishNumbers(publisher, name, 1, 3);
  const second = await Native.enter(b, "nat", { pid: first.hello.pid, offset });
  assert.deepEqual([second.hello.recovered, second.hello.session], [true, first.hello.session]);
  await publishNumbers(publisher, name, 4, 4);
  const pushes = await second.count("n", 4);
  assert.deepEqual(pushes.map(({ data }) => data), [1, 2, 3, 4]);
});

test("a session that goes on at another gateway ends its old connection with 4500", async () => {
  const first = await Native.enter(a, "nat");
  const second = await Native.enter(b, "nat", { pid: first.hello.pid });
  assert.equal(second.hello.recovered, true);
  assert.equal((await first.closed).code, 4500);
});

test("sessions go on at another gateway from the moment they are there", async () => {
  const results = await Promise.all(Array.from({ length: 50 }, async () => {
    const user = fresh("user");
    const first = await Native.enter(a, user);
    const second = await Native.enter(b, user, { pid: first.hello.pid });
    return [second.hello.recovered, second.hello.session === first.hello.session];
  }));
  assert.deepEqual(new Set(results.map(String)), new Set(["true,true"]));
});

test("another user cannot take over a session of another gateway", async () => {
  const name = fresh("kept");
  const first = await Native.enter(a, "nat");
  await first.must({ op: "join", room: name });
  const thief = await Native.enter(b, "thief", { pid: first.hello.pid });
  assert.equal(thief.hello.recovered, false);
  await must(await enter(c, STOCK, "publisher"), "publish", name, "n", "for the owner");
  await first.count("n", 1);
  assert.deepEqual(thief.received("n"), []);
});

test("a session that was ended for good is not recovered elsewhere", async () => {
  const first = await Native.enter(a, "nat");
  first.socket.close(1000);
  await first.closed;
  const second = await Native.enter(b, "nat", { pid: first.hello.pid });
  assert.equal(second.hello.recovered, false);
});

test("a client is told when the history reaches back no longer, and gets no part of it", async () => {
  const { name, way, publisher, member, record } = await memberAndPublisher(STOCK, fresh("short"));
  const back = next(member, "connect");
  // It must not be back before enough is gone.
  way.to();
  await cut(member);
  await publishNumbers(publisher, name, 1, 20);
  way.to(b);
  await back;
  assert.equal(member.recovered, false);
  const { messages } = await must(member, "history", name);
  assert.deepEqual(messages.map(({ data }) => data), [16, 17, 18, 19, 20]);
  assert.deepEqual(record.data, [0]);
});

test("a member that was the only one of its gateway gets what was published while no gateway had one", async () => {
  const { name, member, record } = await memberAndPublisher(STOCK);
  const back = next(member, "connect");
  await cut(member);
  await a.api("POST", `/v1/rooms/${name}/messages`, { event: "n", data: 1 });
  await back;
  await b.api("POST", `/v1/rooms/${name}/messages`, { event: "n", data: 2 });
  await record.count(3);
  assert.deepEqual(record.data, [0, 1, 2]);
});
