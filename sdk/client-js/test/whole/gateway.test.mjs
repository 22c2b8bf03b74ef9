import assert from "node:assert/strict";
import { test } from "node:test";
import { Native } from "../../../../tests/client/support/native.mjs";
import { cluster, kept, room } from "../../../../tests/client/support/documents.mjs";
import { useGateway } from "../../../../tests/client/support/gateway.mjs";
import { until } from "../../../../tests/client/support/wait.mjs";
import { useClient, useWay } from "./support/use.mjs";

const short = room("short", "short-*", { history: { maxMessages: 3, maxAge: "1h" } });
const gateway = await useGateway([cluster(), kept, short]);

test("two clients meet in a room, and each publication is told of once", async () => {
  const [ann, bob] = [useClient(gateway, "ann"), useClient(gateway, "bob")];
  const got = [];
  bob.room("kept-meet").on("message", (data, meta) => got.push([data, meta.from]));
  await bob.room("kept-meet").join();
  const { offset } = await ann.room("kept-meet").publish("message", { text: "hi" });
  assert.equal(typeof offset, "number");
  await until("the message", () => got.length);
  assert.deepEqual(got, [[{ text: "hi" }, "ann"]]);
});

test("a client whose network is cut finds out by a request, comes back, and has all messages once and in order", async () => {
  const far = await useWay(gateway);
  const [ann, bob] = [useClient(gateway, "ann"), useClient(far, "bob")];
  const got = [];
  bob.room("kept-cut").on("message", (data) => got.push(data));
  await bob.room("kept-cut").join();
  const published = [];
  for (let number = 0; number < 10; number += 1) published.push(ann.room("kept-cut").publish("message", number));
  await until("some messages", () => got.length > 2);
  far.way.cut();
  const own = bob.room("kept-cut").publish("message", "from bob");
  await until("the client to find out", () => bob.state.state !== "connected");
  far.way.mend();
  await Promise.all([...published, own]);
  await until("all messages", () => got.length >= 11);
  assert.deepEqual(
    got.filter((data) => data !== "from bob"),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.deepEqual(
    got.filter((data) => data === "from bob"),
    ["from bob"],
  );
});

test("a client that was away for longer than the history reaches is told so", async () => {
  const far = await useWay(gateway);
  const [ann, bob] = [useClient(gateway, "ann"), useClient(far, "bob")];
  const states = [];
  bob.room("short-x").on("message", () => {});
  bob.room("short-x").onState((state) => states.push(state));
  await bob.room("short-x").join();
  far.way.sever();
  await until("the client to find out", () => bob.state.state !== "connected");
  for (let number = 0; number < 8; number += 1) await ann.room("short-x").publish("message", number);
  far.way.mend();
  await until("the room to be joined again", () => states.at(-1).state === "joined" && states.length > 2);
  assert.equal(states.at(-1).recovered, false);
  const kept = [];
  for await (const { data } of bob.room("short-x").history()) kept.push(data);
  assert.deepEqual(kept, [7, 6, 5]);
});

test("presence follows those who come and go", async () => {
  const [ann, bob] = [useClient(gateway, "ann"), useClient(gateway, "bob")];
  const presence = ann.room("kept-present").presence();
  await until("ann herself", () => presence.users.length === 1);
  await bob.room("kept-present").join();
  await until("bob", () => presence.users.length === 2);
  assert.deepEqual(presence.users, ["ann", "bob"]);
  bob.disconnect();
  await until("bob to go", () => presence.users.length === 1);
});

test("a stock client of the plain protocol and a library's client share a room", async () => {
  const ann = useClient(gateway, "ann");
  const native = await Native.enter(gateway, "bob");
  await native.must({ op: "join", room: "kept-mixed" });
  await ann.room("kept-mixed").publish("file", new Uint8Array([1, 2]));
  const { attachments } = await until("the message", () => native.pushes.find(({ event }) => event === "file"));
  assert.deepEqual(attachments, ["AQI="]);
});

test("a token that is about to expire is renewed on the live connection", async () => {
  const reasons = [];
  const getToken = ({ reason }) => {
    reasons.push(reason);
    const now = Math.floor(Date.now() / 1000);
    return gateway.token("ann", { iat: now, exp: now + (reasons.length === 1 ? 3 : 600) });
  };
  const ann = useClient(gateway, "ann", { getToken });
  await ann.connect();
  const { id } = ann.session;
  await until("the token to be renewed", () => reasons.length === 2);
  await ann.room("kept-token").publish("message", 1);
  assert.deepEqual([reasons, ann.session.id], [["connect", "expiring"], id]);
});

test("a user who is revoked stays away", async () => {
  const eve = useClient(gateway, "eve");
  await eve.connect();
  await gateway.api("POST", "/v1/revocations", { user: "eve" });
  await until("the client to be cut off", () => eve.state.state === "disconnected");
  assert.equal(eve.state.reason, "revoked");
});

test("a token that the gateway does not accept ends in unauthorized", async () => {
  const nobody = useClient(gateway, "nobody", { getToken: () => "no token" });
  await assert.rejects(nobody.connect(), { code: "unauthorized" });
});

test("an own event without a backend is refused with its code", async () => {
  const ann = useClient(gateway, "ann");
  await assert.rejects(ann.emit("order", { pizza: 1 }), { code: "unknown_event" });
});

test("direct messages reach the sessions of a user", async () => {
  const [ann, bob] = [useClient(gateway, "ann"), useClient(gateway, "bob")];
  const got = [];
  bob.onDirect("poke", ({ data }) => got.push(data));
  await bob.connect();
  await ann.direct("bob", "poke", 1);
  await until("the message", () => got.length);
  assert.deepEqual(got, [1]);
});
