import assert from "node:assert/strict";
import { test } from "node:test";
import { KINDS, STOCK, ask, enter, must, open, refusal } from "./support/clients.mjs";
import { cluster, kept, room } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { next, until, within } from "./support/wait.mjs";

const small = room("small", "small-*", { limits: { members: 2 } });
const limits = { connectionsPerIP: 1000, connectionsPerUser: 3, messagesPerSecond: 20, payloadBytes: 4096 };
/** How long it may take to be far enough above the rate, by requests of a small size. */
const FLOODED = 60_000;
const gateway = await useGateway([cluster({ limits }), kept, small]);

test("a publisher over its rate is told so and stays connected", async () => {
  const socket = await enter(gateway, STOCK, fresh("user"));
  const throttled = next(socket, "throttled");
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, n) => ask(socket, "publish", "kept-throttled", "n", n)),
  );
  await throttled;
  const refused = answers.filter((answer) => !answer.ok);
  assert.ok(refused.length > 100 && refused.length < 200, `${refused.length} of 200 refused`);
  assert.ok(refused.every((answer) => answer.error.code === "rate_limited"));
  await until("the rate to allow more", async () => (await ask(socket, "join", fresh("room"))).ok);
});

for (const kind of KINDS.filter(({ recovers, transports }) => recovers && transports.length === 1)) {
  test(`a client that goes on above its rate is told to stay away, and does (${kind.name})`, async () => {
    const socket = await enter(gateway, kind, fresh("user"));
    let attempts = 0;
    socket.io.on("reconnect_attempt", () => { attempts += 1; });
    const goodbye = within("the end", new Promise((end) => socket.once("disconnect", (...reasons) => end(reasons))), FLOODED);
    const flood = setInterval(() => {
      for (let n = 0; n < 1_000; n += 1) socket.emit("publish", "kept-flooded", "n", n);
    }, 20);
    const [reason] = await goodbye.finally(() => clearInterval(flood));
    assert.equal(reason, "io server disconnect");
    assert.equal(socket.active, false, "it does not come back by itself");
    await until("the close to be counted", async () =>
      /^sluice_connections_closed_total\{cause="abuse"\} [1-9]/m.test(await gateway.metrics()));
    assert.equal(attempts, 0);
  });
}

test("a message over the limit is refused, and its sender stays connected", async () => {
  const socket = await enter(gateway, STOCK, fresh("user"), { transports: ["websocket"] });
  const large = [
    ["x".repeat(10_000)],
    [new Uint8Array(10_000)],
    [{ text: "x".repeat(10_000), one: new Uint8Array(10), two: new Uint8Array(10_000) }],
    [{ one: new Uint8Array(3_000), two: new Uint8Array(3_000) }],
    ["x".repeat(1_000_000)],
  ];
  for (const args of large) {
    const answer = await ask(socket, "publish", "kept-big", "blob", ...args);
    assert.equal(answer.error?.code, "message_too_large", JSON.stringify(answer));
    assert.match(answer.error.message, /lets in 4096/);
  }
  socket.emit("publish", "kept-big", "blob", "x".repeat(10_000));
  await must(socket, "publish", "kept-big", "blob", "x".repeat(3_000));
});

test("a message far over the limit closes only its sender", async () => {
  const other = await enter(gateway, STOCK, fresh("user"));
  const socket = await enter(gateway, STOCK, fresh("user"), { reconnection: false, transports: ["websocket"] });
  const goodbye = next(socket, "disconnect");
  socket.emit("publish", "kept-big", "blob", "x".repeat(17 * 1024 * 1024));
  await goodbye;
  await must(other, "join", fresh("room"));
});

test("a polling body over the limit is refused", async () => {
  const opened = await (await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling`)).text();
  const { sid, maxPayload } = JSON.parse(opened.slice(1));
  assert.equal(maxPayload, 4096);
  const answer = await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, {
    method: "POST",
    body: `4${"x".repeat(10_000)}`,
  }).then((response) => response.status, () => 413);
  assert.ok([400, 413].includes(answer), `status ${answer}`);
});

test("a room that is full refuses the next member", async () => {
  const name = fresh("small");
  const members = await Promise.all([1, 2, 3].map(() => enter(gateway, STOCK, fresh("user"))));
  await must(members[0], "join", name);
  await must(members[1], "join", name);
  assert.equal((await ask(members[2], "join", name)).error.code, "room_full");
  await must(members[0], "leave", name);
  await must(members[2], "join", name);
});

test("a user over the number of connections is refused with a code", async () => {
  const user = fresh("user");
  for (let n = 0; n < 3; n += 1) await enter(gateway, STOCK, user);
  const error = await refusal(open(gateway, STOCK, { auth: { token: gateway.token(user) } }));
  assert.equal(error.data.code, "user_connections_exceeded");
});
