import assert from "node:assert/strict";
import { test } from "node:test";
import { type GetToken, UnauthorizedError } from "../src/index.js";
import { FakeGateway } from "./support/gateway.js";
import { settle } from "./support/clock.js";
import { comeBack, nextLink, play, playConnected } from "./support/played.js";

const token = (exp: number) => `h.${btoa(JSON.stringify({ sub: "ann", exp, iat: 1_000 }))}.s`;

test("it comes back as the session that it was", async () => {
  const { clock, gateway } = await playConnected();
  await gateway.link.message("r", 1, 5);
  await comeBack({ clock, gateway });
  const { pid, offset } = gateway.link.last("connect");
  assert.deepEqual([pid, offset], ["p1", "e1-5"]);
});

test("a wake finds a dead connection within five seconds, and comes back", async () => {
  const { client, clock, gateway } = await playConnected();
  const dead = gateway.link;
  dead.dead = true;
  await clock.sleep(3_600_000);
  assert.equal(dead.count("ping"), 1);
  await clock.advance(5_000);
  assert.equal(dead.closedBy, "given-up");
  assert.equal(gateway.links.length, 2);
  await gateway.link.greet();
  assert.equal(client.state.state, "connected");
});

test("a connection that answers the ping stays", async () => {
  const { clock, gateway } = await playConnected();
  await clock.sleep(3_600_000);
  await clock.advance(20_000);
  assert.equal(gateway.links.length, 1);
});

test("a way with a heartbeat of its own is not asked", async () => {
  const { client, clock, gateway } = play();
  void client.connect();
  await settle();
  gateway.link.hasHeartbeat = true;
  await gateway.link.greet();
  await clock.advance(120_000);
  assert.equal(gateway.link.count("ping"), 0);
});

test("a connection that does not come about in ten seconds is given up", async () => {
  const { client, clock, gateway } = play();
  void client.connect();
  await settle();
  await clock.advance(11_000);
  assert.equal(gateway.links.length, 2);
  assert.equal(gateway.links[0]?.closedBy, "given-up");
});

test("a token is asked for once at a time, used again while it is fresh, and renewed before it expires", async () => {
  const reasons: string[] = [];
  const getToken: GetToken = ({ reason }) => {
    reasons.push(reason);
    return token(1_000 + 600 * reasons.length);
  };
  const { clock, gateway } = await playConnected({ getToken });
  await comeBack({ clock, gateway });
  assert.deepEqual(reasons, ["connect"]);
  await clock.advance(600_000 - 30_000);
  assert.deepEqual(reasons, ["connect", "expiring"]);
  assert.equal(gateway.link.last("refresh")["token"], token(2_200));
});

test("a refused token is replaced once, and where the next is refused too the client ends", async () => {
  const reasons: string[] = [];
  const getToken: GetToken = ({ reason }) => {
    reasons.push(reason);
    return token(10_000);
  };
  const { client, gateway } = play({ getToken });
  const failed = assert.rejects(client.connect(), { code: "unauthorized" });
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await settle();
    await gateway.link.opened();
    await gateway.link.refuse("connect", "token_signature");
    await gateway.link.close_(4503, "unauthorized");
  }
  await failed;
  assert.deepEqual(reasons, ["connect", "refused"]);
});

test("a getToken that says that nobody is signed in ends the client, and any other failure does not", async () => {
  let failure: Error = new Error("the network is down");
  const { client, clock } = play({ getToken: () => Promise.reject(failure) });
  const failed = assert.rejects(client.connect(), { code: "unauthorized" });
  await clock.advance(5_000);
  assert.equal(client.state.state, "connecting");
  failure = new UnauthorizedError();
  await clock.advance(30_000);
  await failed;
  assert.deepEqual(client.state, { state: "disconnected", reason: "unauthorized" });
});

test("where a WebSocket fails twice the fallback is taken, and the WebSocket again some minutes later", async () => {
  const fallback = new FakeGateway("fallback");
  const { client, clock, gateway } = play({ fallback });
  void client.connect();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await nextLink(clock, gateway, attempt);
    await gateway.link.close_(1006);
  }
  await nextLink(clock, fallback, 0);
  assert.deepEqual([gateway.links.length, fallback.links.length], [2, 1]);
  await fallback.link.greet();
  assert.equal(client.transport, "fallback");
  await clock.advance(300_000);
  await fallback.link.close_(1006);
  await nextLink(clock, gateway, 2);
  assert.equal(gateway.links.length, 3);
});

test("a gateway that answers by HTTP that it is full does not count as a network that lets nothing through", async () => {
  const fallback = new FakeGateway("fallback");
  const { client, clock, gateway } = play({ fallback });
  void client.connect();
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await nextLink(clock, gateway, attempt);
    await gateway.link.close_(1006, "http_503", 1_000);
  }
  await nextLink(clock, gateway, 4);
  assert.equal(fallback.links.length, 0);
});

test("a client that disconnects stays away, and its rooms and requests end", async () => {
  const { client, clock, gateway } = await playConnected();
  const joined = assert.rejects(client.room("r").join(), { code: "disconnected" });
  const asked = assert.rejects(client.emit("order", 1), { code: "disconnected" });
  await settle();
  client.disconnect();
  await Promise.all([joined, asked]);
  await clock.advance(100_000);
  assert.deepEqual([gateway.links.length, gateway.link.closedBy], [1, "done"]);
});

test("a client that has disconnected comes back by connect alone, and then joins and sends what it was asked for", async () => {
  const { client, clock, gateway } = await playConnected();
  client.disconnect();
  const room = client.room("r");
  await assert.rejects(room.join(), { code: "disconnected" });
  room.on("message", () => {});
  const published = room.publish("message", 1);
  await clock.advance(10_000);
  assert.equal(gateway.links.length, 1);
  void client.connect();
  await settle();
  await gateway.link.greet();
  await gateway.link.answer("join", { room: "r", epoch: "e1", offset: 0 });
  await gateway.link.answer("publish", { offset: 1 });
  assert.equal((await published).offset, 1);
});
