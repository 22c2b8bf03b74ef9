import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { STOCK, enter, must } from "../client/support/clients.mjs";
import { fresh } from "../client/support/names.mjs";
import { Native } from "../client/support/native.mjs";
import { Record } from "../client/support/record.mjs";
import { until } from "../client/support/wait.mjs";
import { door, useFleet } from "./support/use.mjs";

/** Members of a gateway that died leave ten seconds after its last heartbeat; a busy machine has much longer. */
const GONE = 45_000;

/** Longer than a gateway may be silent, and shorter than a client may be. */
const PAUSED = 13_000;

const { fleet } = await useFleet();
const [a, b, c] = fleet.gateways;
const way = door(fleet.balancer);

const usersOf = async (socket, name) => (await must(socket, "presence", name)).users.sort();

/** Resolves when the room's users are `users`, which are in order. */
async function exactly(socket, name, users) {
  let got;
  await until(() => `the users ${users} (got ${got})`, async () => {
    got = await usersOf(socket, name);
    return got.join() === users.join();
  });
}

const left = (changes) => changes.data.flatMap((change) => change.left);
const joined = (changes) => changes.data.flatMap((change) => change.joined);

/** Resolves when the watcher at `a` has seen these users leave; what `a` knows says why not. */
async function leaves(users, { name, changes }) {
  let known;
  await until(() => `${users} to leave: ${JSON.stringify(known)}`, async () => {
    if (users.every((user) => left(changes).includes(user))) return true;
    const [fleet, presence] = await Promise.all(["/v1/fleet", `/v1/rooms/${name}/presence`].map((path) => a.api("GET", path)));
    known = { fleet: fleet.body, presence: presence.body, changes: changes.data };
    await pause(200);
    return false;
  }, GONE);
}

/** A watcher in the room at `a`, and the presence changes that it sees. */
async function watch(name) {
  const watcher = await enter(a, STOCK, "watcher");
  const changes = new Record(watcher, "presence");
  await must(watcher, "join", name);
  return { watcher, changes };
}

test("every gateway lists the users of all gateways, each once, and members see them come and go", async () => {
  const name = fresh("kept");
  const { watcher, changes } = await watch(name);
  const ann = await enter(b, STOCK, "ann");
  const annToo = await Native.enter(c, "ann");
  const ben = await Native.enter(c, "ben");
  await must(ann, "join", name);
  for (const one of [annToo, ben]) await one.must({ op: "join", room: name });
  await until("both to be seen", () => ["ann", "ben"].every((user) => joined(changes).includes(user)));
  for (const socket of [watcher, ann]) await exactly(socket, name, ["ann", "ben", "watcher"]);
  for (const gateway of [a, b, c]) {
    const { body } = await gateway.api("GET", `/v1/rooms/${name}/presence`);
    assert.deepEqual([body.users.sort(), body.count], [["ann", "ben", "watcher"], 3]);
  }
  await must(ann, "leave", name);
  ben.socket.close(1000);
  await until("ben to leave", () => left(changes).includes("ben"));
  await exactly(watcher, name, ["ann", "watcher"]);
  assert.deepEqual(left(changes), ["ben"]);
  await annToo.must({ op: "leave", room: name });
  await until("ann to leave", () => left(changes).includes("ann"));
  assert.deepEqual(joined(changes).filter((user) => user !== "watcher").sort(), ["ann", "ben"]);
});

test("a gateway that was paused takes nobody for gone whose signs of life it has not read", async () => {
  const name = fresh("kept");
  const { watcher, changes } = await watch(name);
  const ben = await enter(b, STOCK, "ben");
  await must(ben, "join", name);
  await until("ben to be seen", () => joined(changes).includes("ben"));
  a.program.signal("SIGSTOP");
  await pause(PAUSED);
  a.program.signal("SIGCONT");
  await exactly(watcher, name, ["ben", "watcher"]);
  // Both ways are open again, and what was said meanwhile has come.
  await until("the watcher to be seen by ben", async () => (await usersOf(ben, name)).includes("watcher"));
  await must(ben, "publish", name, "message", "hello");
  assert.deepEqual(left(changes).filter((user) => user !== "watcher"), []);
});

test("what many users on all gateways do at once ends in the same list everywhere", async () => {
  const name = fresh("kept");
  const users = Array.from({ length: 60 }, (_, n) => `user-${String(n).padStart(2, "0")}`);
  const sockets = await Promise.all(users.map((user, n) => enter([a, b, c][n % 3], STOCK, user)));
  await Promise.all(sockets.map((socket) => must(socket, "join", name)));
  await Promise.all(sockets.slice(0, 20).map((socket) => must(socket, "leave", name)));
  await Promise.all(sockets.slice(0, 10).map((socket) => must(socket, "join", name)));
  const wanted = [...users.slice(0, 10), ...users.slice(20)];
  for (const socket of sockets.slice(0, 3)) await exactly(socket, name, wanted);
});

test("users of a gateway that died leave once, after the stated bound", async () => {
  const name = fresh("kept");
  const { watcher, changes } = await watch(name);
  const [victim] = await fleet.add(1);
  const users = ["dan", "eve", "fay"];
  for (const user of users) await must(await enter(victim, STOCK, user, { reconnection: false }), "join", name);
  // Who is listed may be known to the victim only, as yet, and would never be seen.
  await until("all to be seen", () => users.every((user) => joined(changes).includes(user)));
  await exactly(watcher, name, [...users, "watcher"]);
  await fleet.kill(victim);
  await leaves(users, { name, changes });
  await exactly(watcher, name, ["watcher"]);
  await exactly(await enter(b, STOCK, "reader"), name, ["watcher"]);
  assert.deepEqual(left(changes).sort(), users);
});

for (const [what, end] of [
  ["drained", (gateway) => fleet.drain(gateway)],
  ["killed", (gateway) => fleet.kill(gateway)],
]) {
  test(`users who come back from a gateway that was ${what} are not seen to leave`, async () => {
    const name = fresh("kept");
    const { watcher, changes } = await watch(name);
    const [ending, marking] = await fleet.add(2);
    const users = Array.from({ length: 20 }, (_, n) => `user-${String(n).padStart(2, "0")}`);
    await fleet.serve((gateway) => gateway === ending);
    const sockets = await Promise.all(users.map((user) => enter(way, STOCK, user, { reconnectionDelay: 500 })));
    await fleet.serve((gateway) => gateway !== ending && gateway !== marking);
    for (const socket of sockets) await must(socket, "join", name);
    await must(await enter(marking, STOCK, "marker", { reconnection: false }), "join", name);
    const all = ["marker", ...users];
    await until("all to be seen", () => all.every((user) => joined(changes).includes(user)));
    await exactly(watcher, name, [...all, "watcher"]);
    await end(ending);
    await until("all to be back", () => sockets.every(({ connected, recovered }) => connected && recovered));
    // Once the marker has left, whoever would have left with the other gateway has left too.
    await fleet.kill(marking);
    await leaves(["marker"], { name, changes });
    await exactly(watcher, name, [...users, "watcher"]);
    assert.deepEqual(left(changes), ["marker"]);
    assert.deepEqual(joined(changes).filter((user) => user.startsWith("user")).sort(), users);
    await fleet.serve(() => true);
  });
}
