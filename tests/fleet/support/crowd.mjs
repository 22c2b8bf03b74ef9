import { fork } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { until, within } from "../../client/support/wait.mjs";

const WORKER = fileURLToPath(new URL("worker.mjs", import.meta.url));
/** Bounds of what the crowd is asked to do, in milliseconds. */
const [TO_OPEN, TO_ANSWER, TO_LOOK] = [120_000, 60_000, 100];

/** What a crowd is unless told otherwise. */
const USUAL = {
  /** Stock Socket.IO clients; so many of them begin with polling, at default settings. */
  stock: 300,
  fromPolling: 60,
  native: 300,
  rooms: 30,
  /** Publishers: one by the server API, half of the others stock clients, and half native ones. */
  publishers: 10,
  /** Messages a second, of all publishers together. */
  rate: 60,
  workers: 2,
};

/** Clients and publishers in processes of their own, which write down what they see. */
export class Crowd {
  #workers = [];

  /** Connects through a fleet's balancers; resolves when all clients are in their rooms. */
  static async start({ balancer, api }, settings = {}) {
    const crowd = new Crowd();
    const { workers, ...wanted } = { ...USUAL, ...settings };
    const addresses = { url: balancer.url, wsUrl: balancer.wsUrl, apiUrl: api.url };
    const [members, sources] = [membersOf(wanted), sourcesOf(wanted)];
    const share = (all, n) => all.filter((_, index) => index % workers === n);
    crowd.#workers = Array.from({ length: workers }, () => new Worker());
    await Promise.all(crowd.#workers.map((worker, n) =>
      worker.ask("open", { addresses, members: share(members, n), sources: share(sources, n) }, TO_OPEN),
    )).catch((error) => crowd.stop().then(() => Promise.reject(error)));
    return crowd;
  }

  /** Begins new records, with publishers running. */
  async begin() {
    await this.#all("begin");
    await this.#all("publish");
  }

  /** Adds up what the workers say of `away`, `lost`, `acked` and `refused`. */
  async status() {
    const all = await this.#all("status");
    return Object.fromEntries(Object.keys(all[0]).map((key) => [key, all.reduce((sum, one) => sum + one[key], 0)]));
  }

  /** Resolves when `condition(status)` is true. */
  when(what, condition, patience) {
    return until(what, async () => {
      await pause(TO_LOOK);
      return condition(await this.status());
    }, patience);
  }

  /** Resolves when `count` more messages are acknowledged. */
  async published(count, patience) {
    const { acked } = await this.status();
    await this.when(`${count} messages to be published`, (status) => status.acked >= acked + count, patience);
  }

  /**
   * Ends publishing, gives what was acknowledged `patience` milliseconds to arrive, and resolves
   * to all records: `{members, publishers}`.
   */
  async end(patience) {
    await this.#all("quiet");
    const wanted = {};
    for (const [room, key] of (await this.#all("acked")).flat()) (wanted[room] ??= []).push(key);
    await until("deliveries", async () => {
      await pause(TO_LOOK);
      return (await this.#all("missing", wanted)).every((count) => count === 0);
    }, patience).catch(() => {});
    const records = await this.#all("records");
    return {
      members: records.flatMap(({ members }) => members),
      publishers: records.flatMap(({ publishers }) => publishers),
    };
  }

  async stop() {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  #all(order, details) {
    return Promise.all(this.#workers.map((worker) => worker.ask(order, details)));
  }
}

/** A process of the crowd. */
class Worker {
  #child = fork(WORKER, { serialization: "advanced" });
  #asked = new Map();
  #orders = 0;

  constructor() {
    this.exited = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.on("message", ({ id, result, error }) => {
      const { resolve, reject } = this.#asked.get(id);
      this.#asked.delete(id);
      if (error) reject(new Error(`a worker of the crowd failed: ${error}`));
      else resolve(result);
    });
    this.exited.then((code) => {
      for (const { reject } of this.#asked.values()) reject(new Error(`a worker of the crowd ended with ${code}`));
    });
  }

  ask(order, details, patience = TO_ANSWER) {
    const id = (this.#orders += 1);
    const answer = new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
    this.#child.send({ id, order, details });
    return within(`the crowd's answer to "${order}"`, answer, patience);
  }

  async stop() {
    // One that has failed is there no more.
    if (this.#child.connected) await this.ask("close").catch(() => {});
    if (this.#child.connected) this.#child.disconnect();
    await within("a worker of the crowd to end", this.exited);
  }
}

/** Each client is in two rooms; kinds and rooms are mixed evenly. */
function membersOf({ stock, fromPolling, native, rooms }) {
  const member = (kind, n) => ({ kind, name: `${kind}-${n}`, rooms: [room(n % rooms), room((n * 7 + 3) % rooms)] });
  return [
    ...Array.from({ length: stock }, (_, n) => ({
      ...member("stock", n),
      transports: n < fromPolling ? ["polling", "websocket"] : ["websocket"],
    })),
    ...Array.from({ length: native }, (_, n) => member("native", n)),
  ];
}

/** Each publisher has a fifth of the rooms, and shares them with others. */
function sourcesOf({ publishers, rooms, rate }) {
  const share = Math.ceil(rooms / 5);
  return Array.from({ length: publishers }, (_, n) => ({
    kind: n === 0 ? "api" : ["stock", "native"][n % 2],
    name: `publisher-${n}`,
    rate: rate / publishers,
    rooms: Array.from({ length: share }, (_, k) => room((Math.floor((n * rooms) / publishers) + k) % rooms)),
  }));
}

const room = (n) => `crowd-${n}`;
