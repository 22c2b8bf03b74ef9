import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { program } from "../../support/programs.mjs";
import { freePorts } from "./ports.mjs";
import { Program, needed } from "./process.mjs";
import { until } from "./wait.mjs";

/** A NATS server with JetStream for the tests of one file; resolves to its URL. */
export async function useNats() {
  const store = await mkdtemp(join(tmpdir(), "sluice-nats-"));
  const [port] = await freePorts(1);
  const server = new Program(program("nats-server"), ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", store]);
  after(async () => {
    await server.stop();
    await rm(store, { recursive: true, force: true });
  });
  const started = until("NATS to take clients", () => {
    if (!server.running) throw new Error(`nats-server ended:\n${server.output}`);
    return reachable(port);
  });
  await needed(started);
  return `nats://127.0.0.1:${port}`;
}

function reachable(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(socket.destroy()));
    socket.once("error", () => resolve(false));
  });
}
