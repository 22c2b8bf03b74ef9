import assert from "node:assert/strict";
import { after, test } from "node:test";
import { STOCK, ask, enter, must } from "../client/support/clients.mjs";
import { kept } from "../client/support/documents.mjs";
import { fresh } from "../client/support/names.mjs";
import { Record } from "../client/support/record.mjs";
import { until } from "../client/support/wait.mjs";
import { Balancer } from "./support/balancer.mjs";
import { fleetCluster } from "./support/documents.mjs";
import { Fleet } from "./support/fleet.mjs";
import { Nats } from "./support/nats.mjs";
import { door } from "./support/use.mjs";

/** How long an election and what follows it may take, on a busy machine. */
const ELECTED = 60_000;

const nats = await Nats.start(3);
after(() => nats.stop());
const fleet = await Fleet.start(2, [fleetCluster(nats.url), kept]);
after(() => fleet.stop());

test("the sessions of a gateway that dies together with the NATS server that leads go on", async () => {
  const [a, b] = fleet.gateways;
  const name = fresh("kept");
  const way = door(await Balancer.start());
  way.to(a);
  const publisher = await enter(b, STOCK, "publisher");
  const members = await Promise.all(Array.from({ length: 20 }, (_, n) =>
    enter(way, STOCK, `member-${n}`, { reconnectionDelay: 100, reconnectionDelayMax: 500 })));
  const records = members.map((member) => new Record(member, "n"));
  for (const member of members) await must(member, "join", name);
  await must(publisher, "publish", name, "n", "before");
  for (const record of records) await record.count(1);

  const leader = await nats.leaderOf(/SESSIONS/);
  way.to(b);
  await Promise.all([leader.kill(), fleet.kill(a)]);
  await until("the message to be stored", async () =>
    (await ask(publisher, "publish", name, "n", "after", { id: "after" })).ok, ELECTED);
  await until("all to be back", () => members.every(({ connected }) => connected), ELECTED);
  assert.deepEqual(members.filter(({ recovered }) => !recovered).length, 0, "not recovered");
  for (const record of records) await record.count(2);
  for (const { data } of records) assert.deepEqual(data, ["before", "after"]);
  await nats.restart(leader);
});
