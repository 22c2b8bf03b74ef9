import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, connected, enter, open } from "../client/support/clients.mjs";
import { cluster } from "../client/support/documents.mjs";
import { fresh } from "../client/support/names.mjs";
import { Native } from "../client/support/native.mjs";
import { until } from "../client/support/wait.mjs";
import { useFleet } from "./support/use.mjs";

const limits = { ...cluster().spec.limits, connectionsPerUser: 3 };
const { fleet } = await useFleet({ spec: { limits } });
const [a, b, c] = fleet.gateways;

/** The answer to a `connect` of `user` in the plain protocol; a connection that is let in is ended. */
async function tried(gateway, user) {
  const native = await Native.open(gateway);
  const answer = await native.ask({ op: "connect", token: gateway.token(user) });
  native.socket.close(1000);
  await native.closed;
  return answer;
}

test("a user's connections are counted over all gateways", async () => {
  const user = fresh("user");
  const sockets = await Promise.all([a, a, b].map((gateway) => enter(gateway, STOCK, user)));
  await until("a fourth connection to be refused at every gateway", async () => {
    const answers = await Promise.all([a, b, c].map((gateway) => tried(gateway, user)));
    return answers.every(({ ok, error }) => !ok && error.code === "user_connections_exceeded");
  });
  assert.equal((await tried(c, fresh("user"))).ok, true, "others are let in");
  for (const socket of sockets) assert.equal(socket.connected, true);
  sockets[0].disconnect();
  await until("a connection to be let in again", async () => (await tried(c, user)).ok);
});

test("a user whose gateway died may connect elsewhere once it is known to be gone", async () => {
  const user = fresh("user");
  const [victim] = await fleet.add(1);
  for (let n = 0; n < 3; n += 1) await enter(victim, STOCK, user, { reconnection: false });
  await until("another connection to be refused", async () => !(await tried(c, user)).ok);
  await fleet.kill(victim);
  await until("a connection to be let in", async () => (await tried(c, user)).ok);
});

test("a client that comes back to another gateway is not one connection more", async () => {
  const user = fresh("user");
  for (const gateway of [a, b]) await enter(gateway, STOCK, user);
  const room = fresh("kept");
  const native = await Native.enter(a, user);
  await native.must({ op: "join", room });
  for (let n = 0, pid = native.hello.pid; n < 6; n += 1) {
    const next = await Native.enter([b, c, a][n % 3], user, { pid });
    assert.equal(next.hello.recovered, true, `move ${n}`);
    // The answer tells that the session is kept.
    await next.must({ op: "join", room });
    pid = next.hello.pid;
  }
});

test("a refused stock client is told why", async () => {
  const user = fresh("user");
  for (let n = 0; n < 3; n += 1) await enter(b, STOCK, user);
  await until("the refusal", async () => {
    const socket = open(c, STOCK, { auth: { token: c.token(user) } });
    const error = await connected(socket).then(() => undefined, (reason) => reason);
    socket.disconnect();
    return error?.data?.code === "user_connections_exceeded";
  });
});
