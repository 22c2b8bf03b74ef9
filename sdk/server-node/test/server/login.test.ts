import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect } from "@nats-io/transport-node";
import { Server, type Socket } from "../../src/index.js";
import { FakeGateway } from "../support/fake-gateway.js";
import { until } from "../support/until.js";

const OWN = "sluice.default.chat.app.app";

/** The login that an instance needs, as the protocol has it: neither inboxes nor JetStream. */
const CONFIGURATION = `
authorization {
  users: [
    {user: gateway, password: g}
    {user: app, password: a, permissions: {
      publish: ["${OWN}.beat.i", "${OWN}.from.*", "${OWN}.peers", "${OWN}.peer.*"]
      subscribe: ["${OWN}.beat.i", "${OWN}.beat.g", "${OWN}.to.*", "${OWN}.peers", "${OWN}.peer.*"]
    }}
  ]
}`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((then) => server.once("listening", then));
  const { port } = server.address() as { port: number };
  await new Promise((then) => server.close(then));
  return port;
}

test("an instance needs no more of NATS than the protocol says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-login-"));
  const file = join(folder, "nats.conf");
  writeFileSync(file, CONFIGURATION);
  const port = await freePort();
  const child = spawn(process.env.NATS_SERVER ?? "nats-server", ["-a", "127.0.0.1", "-p", `${port}`, "-c", file]);
  after(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  await until("NATS takes clients", () =>
    connect({ port, user: "gateway", pass: "g" }).then(
      (connection) => connection.close().then(() => true),
      () => false,
    ),
  );
  const warnings: Error[] = [];
  process.on("warning", (warning) => warnings.push(warning));
  const gateway = await FakeGateway.start(`127.0.0.1:${port}`, "app", { user: "gateway", pass: "g" });
  const place = { servers: `nats://127.0.0.1:${port}`, cluster: "chat", application: "app", leaveOn: [] };
  const [io, other] = [0, 1].map(() => new Server<any, any, any>({ ...place, user: "app", password: "a" }));
  const connection = new Promise<Socket>((resolve) => {
    for (const server of [io!, other!]) server.on("connection", resolve);
  });
  const client = gateway.connect();
  const socket = await connection;
  socket.emit("hello");
  await until("it arrived", () => client.received.length === 1);
  other!.on("ask", (answer: (value: number) => void) => answer(7));
  await until("they know each other", () => (io as any).core.link.otherInstances().length === 1);
  assert.deepEqual(await io!.serverSideEmitWithAck("ask"), [7]);
  assert.ok(await until("a beat of the thread", () => [...gateway.beats.values()].some(({ tick }) => tick > 0)));
  assert.deepEqual(warnings, []);
  await Promise.all([io!.close(), other!.close()]);
  await gateway.stop();
});
