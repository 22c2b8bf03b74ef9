import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { KINDS, STOCK, connected, cut, enter, must } from "./support/clients.mjs";
import { cluster, kept } from "./support/documents.mjs";
import { Gateway, useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Native } from "./support/native.mjs";
import { next, until, within } from "./support/wait.mjs";

/** Longer than a client has to answer, and shorter than the stock client waits for a ping. */
const PAUSED_MS = 4_000;

const gateway = await useGateway([cluster({ heartbeat: { interval: "4s", timeout: "3s" } }), kept]);

/** Resolves to a client of the plain protocol that leaves pings to the test. */
async function unanswering(user) {
  const native = await Native.open(gateway, { autoPong: false });
  await native.must({ op: "connect", token: gateway.token(user) });
  return native;
}

test("a gateway that was paused loses nobody who still waits for it", async () => {
  const natives = await Promise.all(Array.from({ length: 10 }, () => unanswering(fresh("user"))));
  const pinged = Promise.all(natives.map(({ socket }) => new Promise((resolve) => socket.once("ping", resolve))));
  const kinds = KINDS.filter(({ recovers }) => recovers);
  const sockets = await Promise.all(
    kinds.flatMap((kind) => Array.from({ length: 10 }, () => enter(gateway, kind, fresh("user")))),
  );
  const ends = [];
  for (const socket of sockets) socket.on("disconnect", (reason) => ends.push(reason));
  for (const native of natives) native.closed.then(({ code }) => ends.push(code));

  await within("the pings", pinged);
  gateway.program.signal("SIGSTOP");
  for (const { socket } of natives) {
    socket.pong();
    socket.on("ping", () => socket.pong());
  }
  await pause(PAUSED_MS);
  const again = natives.map(({ socket }) => new Promise((resolve) => socket.once("ping", resolve)));
  gateway.program.signal("SIGCONT");

  await Promise.all(sockets.map((socket) => must(socket, "join", fresh("room"))));
  await Promise.all(natives.map((native) => native.must({ op: "join", room: fresh("room") })));
  await within("the next pings", Promise.all(again));
  await within("pings of all stock clients", Promise.all(sockets.map((socket) => new Promise((resolve) => {
    socket.io.once("ping", resolve);
  }))));
  assert.deepEqual(ends, []);
});

test("a client that does not answer is noticed after a pause as before it", async () => {
  const silent = await unanswering(fresh("user"));
  await within("a ping", new Promise((resolve) => silent.socket.once("ping", resolve)));
  gateway.program.signal("SIGSTOP");
  await pause(PAUSED_MS);
  gateway.program.signal("SIGCONT");
  assert.equal((await within("the end", silent.closed)).code, 4002);
  await until("it to be counted", async () =>
    /^sluice_connections_closed_total\{cause="heartbeat"\} 1$/m.test(await gateway.metrics()));
});

test("a session is kept for a client that could not come back in a pause", async () => {
  const brief = await Gateway.start([cluster({ recovery: { window: "3s" } }), kept]);
  try {
    const later = { reconnectionDelay: PAUSED_MS + 500, reconnectionDelayMax: PAUSED_MS + 500, randomizationFactor: 0 };
    const socket = await enter(brief, STOCK, "ada", later);
    const name = fresh("kept");
    await must(socket, "join", name);
    const message = next(socket, "message");
    await must(socket, "publish", name, "message", "before");
    await message;
    await cut(socket);
    await until("the session to wait for its client", async () =>
      /^sluice_sessions_detached 1$/m.test(await brief.metrics()));
    brief.program.signal("SIGSTOP");
    await pause(PAUSED_MS);
    brief.program.signal("SIGCONT");
    await connected(socket);
    assert.equal(socket.recovered, true);
  } finally {
    await brief.stop();
  }
});
