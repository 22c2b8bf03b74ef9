import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { freePorts } from "../../client/support/ports.mjs";
import { Program } from "../../client/support/process.mjs";
import { until, within } from "../../client/support/wait.mjs";
import { program } from "../../support/programs.mjs";
import { Link } from "./link.mjs";

/** How long a cluster may take to agree on a leader again; one election takes up to nine seconds. */
const ELECTION = 40_000;
/** A port on which nobody listens: what a node tells others of its routes, so that they use theirs. */
const NOWHERE = "127.0.0.1:1";

/** One nats-server with JetStream: its process ends and starts again, its ports and its store stay. */
class NatsNode {
  constructor(name, directory, [clients, monitoring, routes]) {
    Object.assign(this, { name, directory, clients, monitoring, routes });
  }

  get pid() {
    return this.program.pid;
  }

  /** Starts the process on the configuration that was written before. */
  start() {
    this.program = new Program(program("nats-server"), ["--config", join(this.directory, `${this.name}.conf`)]);
  }

  /** What the monitoring port answers at `path`; undefined if it does not, or not with 200. */
  async monitor(path) {
    const answer = await fetch(`http://127.0.0.1:${this.monitoring}${path}`, { signal: AbortSignal.timeout(2000) })
      .catch(() => undefined);
    return answer?.ok ? answer.json().catch(() => undefined) : undefined;
  }

  /** SIGKILL; resolves when the process is gone. */
  kill() {
    return this.program.stop();
  }

  /** SIGTERM; resolves when the process has ended. */
  async terminate() {
    this.program.signal("SIGTERM");
    await within(`${this.name} to end`, this.program.exited, ELECTION);
  }

  /** SIGSTOP: it answers nobody, and its connections stay open. */
  pause() {
    this.program.signal("SIGSTOP");
  }

  resume() {
    this.program.signal("SIGCONT");
  }

  /** Lame duck, as `nats-server --signal ldm=PID` does it: clients are sent away, then it ends. */
  async lameDuck() {
    this.program.signal("SIGUSR2");
    await within(`${this.name} to end after its lame duck`, this.program.exited, ELECTION);
  }
}

/** NATS for a fleet: one nats-server, or a cluster, on free ports, with a store of its own. */
export class Nats {
  #directory;
  /** To each node, for gateways. */
  #doors = [];
  /** From node to node, by `from:to`. */
  #routes = new Map();

  /** Starts `size` nodes and waits until JetStream answers. */
  static async start(size = 1) {
    const nats = new Nats();
    nats.#directory = await mkdtemp(join(tmpdir(), "sluice-nats-"));
    const ports = await freePorts(3 * size);
    nats.nodes = Array.from({ length: size }, (_, n) =>
      new NatsNode(`nats-${n}`, nats.#directory, ports.slice(3 * n, 3 * n + 3)));
    await nats.#connect();
    for (const [n, node] of nats.nodes.entries()) {
      await writeFile(join(nats.#directory, `${node.name}.conf`), nats.#configuration(n));
      node.start();
    }
    await nats.ready();
    return nats;
  }

  /** What a gateway's `backbone.nats.external.url` says. */
  get url() {
    return this.#doors.map((door) => `nats://127.0.0.1:${door.port}`).join(",");
  }

  /** Resolves when every node serves JetStream and, in a cluster, all are current. */
  async ready() {
    await until(() => `JetStream\n${this.nodes.map((node) => node.program.output.slice(-2000)).join("\n")}`, async () => {
      await pause(50);
      const gone = this.nodes.find((node) => !node.program.running);
      if (gone) throw new Error(`${gone.name} ended:\n${gone.program.output}`);
      const well = await Promise.all(this.nodes.map((node) => node.monitor("/healthz")));
      return well.every((health) => health?.status === "ok") && (this.nodes.length === 1 || this.#agreed());
    }, ELECTION);
  }

  /** Starts a node that has ended, and resolves when all are well again. */
  async restart(node) {
    node.start();
    await this.ready();
  }

  /** The node that leads the first stream whose name `matches`; undefined while there is none. */
  async leaderOf(matches) {
    for (const node of this.nodes.filter(({ program }) => program.running)) {
      const streams = (await this.#streams(node)).filter(({ name }) => matches.test(name));
      const leader = streams.map(({ cluster }) => cluster?.leader ?? node.name).find(Boolean);
      if (leader) return this.nodes.find(({ name }) => name === leader);
    }
    return undefined;
  }

  /** How many consumers all streams together have. */
  async consumers() {
    const answer = await this.nodes.find(({ program }) => program.running).monitor("/jsz");
    return answer.consumers;
  }

  /** Cuts a node off from gateways and from the other nodes. */
  cut(node) {
    for (const link of this.#around(node)) link.cut();
  }

  mend(node) {
    for (const link of this.#around(node)) link.mend();
  }

  async stop() {
    await Promise.all(this.nodes.map((node) => node.kill()));
    for (const link of [...this.#doors, ...this.#routes.values()]) link.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #streams(node) {
    const answer = await node.monitor("/jsz?streams=true");
    return (answer?.account_details ?? []).flatMap((account) => account.stream_detail ?? []);
  }

  /** Whether all nodes name the same leader, and it says that the others follow. */
  async #agreed() {
    const clusters = (await Promise.all(this.nodes.map((node) => node.monitor("/jsz")))).map((answer) => answer?.meta_cluster);
    const leader = this.nodes.findIndex(({ name }) => name === clusters[0]?.leader);
    const followers = clusters[leader]?.replicas ?? [];
    return clusters.every((cluster) => cluster?.leader === clusters[0]?.leader)
      && followers.length === this.nodes.length - 1 && followers.every(({ current, offline }) => current && !offline);
  }

  async #connect() {
    this.#doors = await Promise.all(this.nodes.map((node) => Link.open(node.clients)));
    for (const [from] of this.nodes.entries()) {
      for (const [to, node] of this.nodes.entries()) {
        if (from !== to) this.#routes.set(`${from}:${to}`, await Link.open(node.routes));
      }
    }
  }

  #around(node) {
    const number = String(this.nodes.indexOf(node));
    const routes = [...this.#routes].filter(([ends]) => ends.split(":").includes(number)).map(([, link]) => link);
    return [this.#doors[number], ...routes];
  }

  #configuration(n) {
    const node = this.nodes[n];
    return JSON.stringify({
      server_name: node.name,
      listen: `127.0.0.1:${node.clients}`,
      client_advertise: `127.0.0.1:${this.#doors[n].port}`,
      http: `127.0.0.1:${node.monitoring}`,
      jetstream: { store_dir: join(this.#directory, node.name), max_memory_store: 256 << 20, max_file_store: 1 << 30 },
      lame_duck_grace_period: "1s",
      lame_duck_duration: "30s",
      ...(this.nodes.length > 1 && { cluster: this.#cluster(n, node) }),
    }, null, 2);
  }

  #cluster(n, node) {
    const others = this.nodes.map((_, to) => to).filter((to) => to !== n);
    return {
      name: "fleet",
      listen: `127.0.0.1:${node.routes}`,
      advertise: NOWHERE,
      routes: others.map((to) => `nats-route://127.0.0.1:${this.#routes.get(`${n}:${to}`).port}`),
    };
  }
}
