import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { cluster, kept } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { Native } from "./support/native.mjs";
import { sign } from "./support/tokens.mjs";
import { until, within } from "./support/wait.mjs";

process.env.SLUICE_LOG = "debug";
const limits = { connectionsPerIP: 20, connectionsPerUser: 20, payloadBytes: 10_000 };
const gateway = await useGateway([cluster({ limits, origins: [] }), kept]);

/** The answer to bytes that are sent as they are, up to the end of the connection. */
function raw(port, bytes) {
  const socket = connect(port, "127.0.0.1");
  const chunks = [];
  socket.on("data", (chunk) => chunks.push(chunk)).on("error", () => {});
  socket.write(bytes);
  return within("the end of a connection", new Promise((resolve) => {
    socket.once("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  }));
}

const handshake = "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const logged = (line) => until(`${line} in the log`, () => gateway.program.output.includes(line));
const fetched = (path, init) => fetch(`${gateway.url}${path}`, init).then((answer) => answer.status);
const POLLING = "/socket.io/?EIO=4&transport=polling";

test("a request of HTTP/1.1 that does not name its host once is refused", async () => {
  for (const hosts of ["", "Host: a\r\nHost: a\r\n", "Host: a b\r\n"]) {
    const answer = await raw(gateway.port, `GET /ws HTTP/1.1\r\n${hosts}${handshake}`);
    assert.match(answer, /^HTTP\/1\.1 400 /);
  }
});

test("each refusal is in the log with its code", async () => {
  assert.equal(await fetched("/nothing"), 404);
  await logged('code="not_found"');
  assert.equal(await fetched(POLLING, { headers: { origin: "https://evil.example" } }), 403);
  await logged('code="origin_denied"');
  assert.equal(await fetched("/socket.io/?EIO=3&transport=polling"), 400);
  await logged('code="bad_request"');
  const forged = sign("another-key-that-is-long-enough-too", { sub: "eve" });
  const eve = await Native.open(gateway);
  await eve.ask({ op: "connect", token: forged });
  await logged('code="token_signature"');
  const ann = await Native.enter(gateway, "ann");
  await ann.ask({ op: "leave", room: "nowhere" });
  await logged('code="not_a_member"');
  ann.socket.send(Buffer.from("binary"));
  await logged('code="unsupported_data"');
});

test("a name begins no line of its own in the log, and speaks to no terminal", async () => {
  await Native.enter(gateway, "ann\n2026 INFO forged\u001b[31m\u2028");
  await logged(String.raw`ann\n2026 INFO forged\u{1b}[31m\u{2028}`);
  assert.ok(!gateway.program.output.includes("\n2026 INFO forged"));
});

test("without origins only web pages of the gateway's own host and port are let in", async () => {
  const status = (origin) => fetched(POLLING, { method: "OPTIONS", headers: { origin } });
  assert.notEqual(await status(gateway.url), 403);
  assert.equal(await status(gateway.url.replace("http:", "evil:")), 403);
  assert.equal(await status("http://127.0.0.1"), 403);
});

test("only the machine itself may trace, and by its own name", async () => {
  const { port } = new URL(gateway.opsUrl);
  const ask = (host) => raw(Number(port), `PUT /debug/trace?room=a HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  assert.match(await ask("evil.example"), /^HTTP\/1\.1 403 /);
  for (const host of ["localhost", `localhost:${port}`, "127.0.0.1", `[::1]:${port}`]) assert.match(await ask(host), /^HTTP\/1\.1 200 /);
});

test("a connection of an address that has as many as it may is refused, and in the log", async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, () => fetched(POLLING)));
  assert.ok(answers.includes(429), answers.join());
  await logged('code="ip_connections_exceeded"');
});
