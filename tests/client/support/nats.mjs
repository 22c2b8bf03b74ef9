import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after } from "node:test";
import { freePorts } from "./ports.mjs";
import { Program } from "./process.mjs";
import { until } from "./wait.mjs";

/** Where nats-server is: `NATS_SERVER`, the `PATH`, or where scripts/tools.sh installs it. */
function binary() {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const folders = [...(process.env.PATH ?? "").split(delimiter), join(cache, "sluice/bin")];
  const places = [process.env.NATS_SERVER, ...folders.map((folder) => join(folder, "nats-server"))];
  const found = places.find((place) => place && existsSync(place));
  if (found) return found;
  throw new Error("nats-server is missing: install it with `. scripts/tools.sh; need_nats`, or set NATS_SERVER to its path");
}

/** A NATS server with JetStream for the tests of one file; resolves to its URL. */
export async function useNats() {
  const store = await mkdtemp(join(tmpdir(), "sluice-nats-"));
  const [port] = await freePorts(1);
  const server = new Program(binary(), ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", store]);
  after(async () => {
    await server.stop();
    await rm(store, { recursive: true, force: true });
  });
  await until("NATS to take clients", () => {
    if (!server.running) throw new Error(`nats-server ended:\n${server.output}`);
    return reachable(port);
  });
  return `nats://127.0.0.1:${port}`;
}

function reachable(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(socket.destroy()));
    socket.once("error", () => resolve(false));
  });
}
