import { createServer } from "node:http";
import { createRequire } from "node:module";
import { API_KEY, SIGNING_KEY, room } from "../../client/support/documents.mjs";
import { Gateway } from "../../client/support/gateway.mjs";
import { sign } from "../../client/support/tokens.mjs";
import { Crowd } from "../../fleet/support/crowd.mjs";
import { crowded, fleetCluster } from "../../fleet/support/documents.mjs";
import { Fleet } from "../../fleet/support/fleet.mjs";
import { Nats } from "../../fleet/support/nats.mjs";

/** The packages are those of the fleet's tests. */
const { io } = createRequire(new URL("../../fleet/package.json", import.meta.url))("socket.io-client");

/** How often what a healthy fleet shows too seldom is made to happen, in milliseconds. */
const OFTEN = 250;
/** A drain that lasts as long as the queries are asked. */
const SLOW = { settle: "1s", window: "10m", connectionsPerSecond: 1, deadline: "20m" };
const KEYS = { name: "keys", key: "api" };

/**
 * Gateways under load, in which everything happens that a query asks for: a fleet of three over NATS,
 * one of which drains when it is told to, with a webhook; and a gateway of another cluster,
 * which is full, and whose backend over NATS does not answer.
 */
export class Load {
  #closers = [];
  #timers = [];

  static async start() {
    const load = new Load();
    await load.#start().catch((error) => load.stop().then(() => Promise.reject(error)));
    return load;
  }

  /** What Prometheus scrapes, with the labels that the operator's PodMonitor gives. */
  get targets() {
    const target = (gateway, namespace, sluice_dev_cluster, pod) =>
      ({ address: new URL(gateway.opsUrl).host, labels: { namespace, sluice_dev_cluster, pod } });
    return [
      ...this.fleet.gateways.map((gateway, n) => target(gateway, "shop", "test", `test-${n}`)),
      target(this.full, "games", "second", "second-0"),
    ];
  }

  async stop() {
    for (const timer of this.#timers) clearInterval(timer);
    for (const close of this.#closers.reverse()) await close();
  }

  async #start() {
    this.nats = await Nats.start();
    this.#closers.push(() => this.nats.stop());
    const webhook = { url: await this.#backend(), secretRef: KEYS, timeout: "1s" };
    this.spec = { drain: SLOW, backend: { webhook } };
    this.fleet = await Fleet.start(3, [fleetCluster(this.nats.url, this.spec), crowded]);
    this.#closers.push(() => this.fleet.stop());
    this.full = await Gateway.start(this.#second());
    this.#closers.push(() => this.full.stop());
    this.crowd = await Crowd.start(this.fleet, { stock: 60, fromPolling: 20, native: 60, rate: 60 });
    this.#closers.push(() => this.crowd.stop());
    await this.crowd.begin();
    this.#mishaps();
  }

  /** Has the last gateway of the fleet move its clients, one a second; once all are moved, it is gone. */
  async drain() {
    const { status } = await this.fleet.gateways[2].api("POST", "/v1/drain", { reason: "rollout", connectionsPerSecond: 1 });
    if (status >= 300) throw new Error(`the drain was refused with ${status}`);
  }

  /** A webhook that answers; resolves to its URL. */
  async #backend() {
    const server = createServer((_, answer) => answer.writeHead(200, { "content-type": "application/json" }).end("{}"));
    await new Promise((done) => server.listen(0, "127.0.0.1", done));
    this.#closers.push(() => { server.close(); server.closeAllConnections(); });
    return `http://127.0.0.1:${server.address().port}/`;
  }

  #second() {
    const cluster = fleetCluster(this.nats.url, { backend: { nats: { timeout: "1s" } }, gateway: { maxConnections: 2 } });
    const kept = room("kept", "kept-*", { clusterRef: { name: "second" }, history: { maxMessages: 100 } });
    return [{ ...cluster, metadata: { name: "second" } }, kept];
  }

  /** What goes wrong again and again. */
  #mishaps() {
    const [gateway] = this.fleet.gateways;
    const asks = [gateway, this.full].map((one) => this.#client(one.url, { sub: "asks" }));
    const crowding = [];
    // Who asks has a place before the gateway is full.
    asks[1].once("connect", () => {
      for (let one = 0; one < 3; one++) crowding.push(this.#client(this.full.url, { sub: "crowds" }));
    });
    const refused = this.#client(gateway.url, { sub: "expired", exp: 1 });
    const restless = this.#client(gateway.url, { sub: "restless" });
    this.#every(() => {
      for (const socket of asks) {
        socket.emit("no-such-event-of-ours", {}, () => {});
        socket.emit("history", "a-room-without-history", () => {});
      }
      for (const socket of [...asks, ...crowding, refused]) if (!socket.active) socket.connect();
      // A client that loses its network again and again, and recovers.
      if (restless.connected) restless.io.engine.close();
      gateway.api("GET", "/v1/fleet").catch(() => {});
      fetch(`${gateway.apiUrl}/v1/fleet`, { headers: { authorization: `Bearer wrong-${API_KEY}` } }).catch(() => {});
    });
  }

  #client(url, claims) {
    const socket = io(url, {
      transports: ["websocket"], forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 200,
      auth: (send) => send({ token: sign(SIGNING_KEY, claims) }),
    });
    this.#closers.push(() => socket.disconnect());
    return socket;
  }

  #every(act) {
    this.#timers.push(setInterval(act, OFTEN));
  }
}
