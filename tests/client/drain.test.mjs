import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, enter, must } from "./support/clients.mjs";
import { cluster, kept } from "./support/documents.mjs";
import { Gateway, useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Native } from "./support/native.mjs";
import { next, until, within } from "./support/wait.mjs";

const drain = { settle: "200ms", window: "2s", connectionsPerSecond: 500, deadline: "10s" };

const gateway = await useGateway([cluster({ drain }), kept]);

test("SIGTERM announces the drain, closes each transport once, and ends the process", async () => {
  const name = fresh("kept");
  const sockets = await Promise.all(
    Array.from({ length: 50 }, (_, n) => enter(gateway, STOCK, `user-${n}`, { reconnectionDelay: 60_000, reconnectionDelayMax: 60_000 })),
  );
  await Promise.all(sockets.map((socket) => must(socket, "join", name)));
  const native = await Native.enter(gateway, "nat");
  const notices = sockets.map((socket) => next(socket, "drain"));
  const goodbyes = sockets.map((socket) => next(socket, "disconnect"));
  const attempts = sockets.map((socket) => within("a reconnect", new Promise((resolve) => {
    socket.io.reconnectionDelay(10);
    socket.io.once("reconnect_attempt", resolve);
  })));
  gateway.program.signal("SIGTERM");

  for (const [notice] of await Promise.all(notices)) {
    assert.equal(typeof notice.reason, "string");
    assert.ok(notice.within > 0, `within: ${notice.within}`);
  }
  await native.count("drain", 1);
  await must(sockets[0], "publish", name, "message", "still served").catch(() => {});
  for (const [reason] of await Promise.all(goodbyes)) {
    assert.ok(["transport close", "transport error"].includes(reason), `the client comes back from "${reason}"`);
  }
  await Promise.all(attempts);
  const { code } = await within("the plain connection to close", native.closed);
  assert.equal(code, 4000);
  assert.deepEqual(await within("the process to end", gateway.program.exited), { code: 0, signal: null });
});

test("a second SIGTERM ends it at once", async () => {
  const slow = await Gateway.start([cluster({ drain: { settle: "1m", window: "5m", connectionsPerSecond: 1, deadline: "10m" } })]);
  try {
    const socket = await enter(slow, STOCK, "ada", { reconnection: false });
    slow.program.signal("SIGTERM");
    await until("the drain to begin", async () => !(await fetch(`${slow.opsUrl}/readyz`).then((answer) => answer.ok, () => false)));
    assert.equal(socket.connected, true);
    slow.program.signal("SIGTERM");
    await within("the process to end", slow.program.exited);
  } finally {
    await slow.stop();
  }
});
