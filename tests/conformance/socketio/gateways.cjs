// One NATS for all tests, and a gateway for each server that a test makes: of a cluster of its own, so that no test hears
// another.
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const { mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const { createServer } = require("node:net");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const folder = mkdtempSync(join(tmpdir(), "sluice-conformance-"));
const running = new Set();
let started = 0;
// A program that a test starts is told by the environment.
let nats = process.env.SLUICE_CONFORMANCE_NATS;

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function start(program, args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  child.said = "";
  child.stderr.on("data", (chunk) => {
    child.said = (child.said + chunk).slice(-10_000);
  });
  // Whether a test's program ends by itself is a test, too.
  child.unref();
  child.stderr.unref();
  running.add(child);
  child.on("exit", () => running.delete(child));
  return child;
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((then) => server.close(then))));
  return ports;
}

async function until(what, condition) {
  const end = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`It never came to this: ${what}`);
    await new Promise((then) => setTimeout(then, 10));
  }
}

/** Starts NATS; what follows goes by it. */
async function startNats() {
  const [port] = await freePorts(1);
  const child = start(process.env.NATS_SERVER, ["-a", "127.0.0.1", "-p", `${port}`, "-js", "-sd", join(folder, "nats")]);
  await until("NATS is ready", () => child.said.includes("Server is ready"));
  nats = `nats://127.0.0.1:${port}`;
  process.env.SLUICE_CONFORMANCE_NATS = nats;
}

/** What a new gateway and its instances are to be told. */
function names() {
  return { servers: nats, cluster: `t${process.pid}-${++started}` };
}

/** What the options of a Socket.IO server are in a RealtimeCluster. */
function specOf(options) {
  const seconds = (ms) => `${Math.max(1, Math.round(ms))}ms`;
  return {
    auth: { required: false },
    origins: ["*"],
    heartbeat: { interval: seconds(options.pingInterval ?? 25_000), timeout: seconds(options.pingTimeout ?? 20_000) },
    limits: {
      connectionsPerIP: 10_000,
      messagesPerSecond: 100_000,
      inFlight: 10_000,
      payloadBytes: options.maxHttpBufferSize ?? 1_000_000,
    },
    recovery: { window: options.connectionStateRecovery ? "2m" : "0s" },
    applications: [
      {
        name: "tests",
        namespaces: ["/*"],
        handshake: {
          headers: ["accept-encoding", "cookie", "host", "origin", "referer", "user-agent", "x-custom-header-for-node", "connection", "accept"],
          cookies: [],
          query: ["transport", "EIO", "t", "b64", "j", "key1", "key2", "key&=bb", "foo", "a", "b", "c"],
        },
      },
    ],
  };
}

/** Starts the gateway of a cluster: where it is, and how it is ended. */
async function startGateway(cluster, options) {
  const documents = {
    apiVersion: "sluice.dev/v1alpha1",
    kind: "RealtimeCluster",
    metadata: { name: cluster },
    spec: { ...specOf(options), backbone: { nats: { external: { url: nats } } } },
  };
  const config = join(folder, `${cluster}.yaml`);
  writeFileSync(config, JSON.stringify(documents));
  const [clients, api, ops] = await freePorts(3);
  const child = start(process.env.SLUICE_GATEWAY_BINARY, ["--config", config], {
    SLUICE_LISTEN: `127.0.0.1:${clients}`,
    SLUICE_API_LISTEN: `127.0.0.1:${api}`,
    SLUICE_OPS_LISTEN: `127.0.0.1:${ops}`,
  });
  await until("the gateway is ready", () => {
    if (child.exitCode !== null) throw new Error(`The gateway ended: ${child.said}`);
    return fetch(`http://127.0.0.1:${ops}/readyz`).then(({ ok }) => ok, () => false);
  });
  return { url: `http://127.0.0.1:${clients}`, stop: () => child.kill("SIGKILL") };
}

module.exports = { startGateway, startNats, names };
