import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, enter, must, open, refusal } from "../client/support/clients.mjs";
import { fresh } from "../client/support/names.mjs";
import { Native } from "../client/support/native.mjs";
import { Record } from "../client/support/record.mjs";
import { until, within } from "../client/support/wait.mjs";
import { useFleet } from "./support/use.mjs";

/** How soon what one gateway was told holds at all others, in milliseconds; the promise. */
const EVERYWHERE = 1000;

const { fleet } = await useFleet();
const [a, b, c] = fleet.gateways;

/** A session of `user` at each gateway, of both protocols. */
async function everywhere(user, claims) {
  const stock = await Promise.all([a, b].map((gateway) => enter(gateway, STOCK, user, { claims })));
  const native = await Native.open(c);
  native.hello = await native.must({ op: "connect", token: c.token(user, claims) });
  return { stock, native };
}

/** Resolves when all sessions of `everywhere` have ended, as they do when they may not come back. */
const ended = ({ stock, native }, code) => within("all sessions to end", Promise.all([
  ...stock.map((socket) => new Promise((resolve) => socket.once("disconnect", resolve)).then((reason) => {
    assert.equal(reason, "io server disconnect");
  })),
  native.closed.then((close) => assert.equal(close.code, code)),
]), EVERYWHERE);

/** Fails unless the token of `user` with these claims is refused at `gateway`. */
async function assertRevoked(gateway, user, claims) {
  const error = await refusal(open(gateway, STOCK, { auth: { token: gateway.token(user, claims) } }));
  assert.equal(error.data.code, "token_revoked");
}

test("a direct message reaches all sessions of a user, whatever gateway they are at", async () => {
  const user = fresh("user");
  const { stock, native } = await everywhere(user);
  const records = stock.map((socket) => new Record(socket, "note"));
  const sender = await enter(a, STOCK, "sender");
  await must(sender, "direct", user, "note", "from a client");
  const { status, body } = await b.api("POST", `/v1/users/${user}/messages`, { event: "note", data: "from a backend" });
  assert.deepEqual([status, body.sessions], [200, 3]);
  for (const record of records) {
    await record.count(2);
    assert.deepEqual(record.data.sort(), ["from a backend", "from a client"]);
  }
  const pushes = await native.count("note", 2);
  assert.deepEqual(
    pushes.map(({ data, meta }) => [data, meta.from]).sort(),
    [["from a backend", undefined], ["from a client", "sender"]],
  );
});

test("a broadcast reaches everyone at every gateway", async () => {
  const event = fresh("news");
  const { stock, native } = await everywhere(fresh("user"));
  const records = stock.map((socket) => new Record(socket, event));
  const speaker = await enter(c, STOCK, "speaker", { claims: { sluice: { broadcast: true } } });
  await must(speaker, "broadcast", event, 1);
  await b.api("POST", "/v1/messages", { event, data: 2 });
  for (const record of records) {
    await record.count(2);
    assert.deepEqual(record.data.sort(), [1, 2]);
  }
  assert.deepEqual((await native.count(event, 2)).map(({ data }) => data).sort(), [1, 2]);
});

test("any gateway lists the sessions of all gateways", async () => {
  const user = fresh("user");
  const { stock, native } = await everywhere(user);
  const wanted = [...stock.map(({ id }) => id), native.hello.session].sort();
  for (const gateway of [a, b, c]) {
    await until("all sessions in the list", async () => {
      const { body } = await gateway.api("GET", `/v1/sessions?user=${user}`);
      return body.sessions.map(({ session }) => session).sort().join() === wanted.join();
    });
  }
});

test("a user who is disconnected at one gateway is disconnected at all", async () => {
  const user = fresh("user");
  const sessions = await everywhere(user);
  const end = ended(sessions, 4502);
  const { body } = await a.api("DELETE", `/v1/users/${user}/sessions`);
  assert.equal(body.sessions, 3);
  await end;
});

test("a session is disconnected by a gateway that does not hold it", async () => {
  const native = await Native.enter(c, fresh("user"));
  const { body } = await a.api("DELETE", `/v1/sessions/${native.hello.session}`);
  assert.equal(body.sessions, 1);
  assert.equal((await within("the session to end", native.closed, EVERYWHERE)).code, 4502);
});

test("a revoked token is cut at every gateway, and let in at none", async () => {
  const user = fresh("user");
  const claims = { jti: fresh("token") };
  const sessions = await everywhere(user, claims);
  const other = await enter(b, STOCK, user, { claims: { jti: fresh("token") } });
  const end = ended(sessions, 4501);
  assert.equal((await a.api("POST", "/v1/revocations", { token: claims.jti })).status, 200);
  await end;
  assert.equal(other.connected, true);
  for (const gateway of [a, b, c]) await assertRevoked(gateway, user, claims);
});

test("a gateway that starts later knows what was revoked before", async () => {
  const user = fresh("user");
  const claims = { jti: fresh("token") };
  assert.equal((await a.api("POST", "/v1/revocations", { token: claims.jti })).status, 200);
  const [late] = await fleet.add(1);
  await assertRevoked(late, user, claims);
});

test("a revoked user is cut at every gateway", async () => {
  const user = fresh("user");
  const iat = Math.floor(Date.now() / 1000) - 10;
  const sessions = await everywhere(user, { iat });
  const end = ended(sessions, 4501);
  assert.equal((await b.api("POST", "/v1/revocations", { user })).status, 200);
  await end;
});

test("a revoked session does not come back at another gateway", async () => {
  const user = fresh("user");
  const native = await Native.enter(c, user);
  assert.equal((await a.api("POST", "/v1/revocations", { session: native.hello.session })).status, 200);
  assert.equal((await within("the session to end", native.closed, EVERYWHERE)).code, 4501);
  const again = await Native.enter(b, user, { pid: native.hello.pid });
  assert.equal(again.hello.recovered, false);
});
