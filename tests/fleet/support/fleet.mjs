import { setTimeout as pause } from "node:timers/promises";
import { Gateway } from "../../client/support/gateway.mjs";
import { until, within } from "../../client/support/wait.mjs";
import { Balancer } from "./balancer.mjs";

/** How often readiness is looked at, in milliseconds. */
const PROBE = 250;
/** How long a gateway may take to drain, in milliseconds. */
const DRAIN = 60_000;

/**
 * Gateways on the same documents, with a balancer for clients and one for the server API.
 *
 * Both balancers give new connections to the gateways that are ready and `serving`; readiness is
 * looked at four times a second, as Kubernetes does it with its endpoints.
 */
export class Fleet {
  gateways = [];
  #documents;
  #serving = () => true;
  /** Gateways that have died, and are still taken to be ready. */
  #unnoticed = new Set();
  #watching;
  #stopped = false;

  static async start(size, documents) {
    const fleet = new Fleet();
    fleet.#documents = documents;
    fleet.balancer = await Balancer.start();
    fleet.api = await Balancer.start();
    await fleet.add(size);
    fleet.#watching = fleet.#watch();
    return fleet;
  }

  /**
   * Starts `count` gateways more, on the fleet's documents or others; resolves to them once they
   * are ready, and all gateways know all others.
   */
  async add(count, documents = this.#documents) {
    const started = await Promise.all(Array.from({ length: count }, () => Gateway.start(documents)));
    this.gateways.push(...started);
    for (const gateway of this.gateways) {
      await metricThat(gateway, "sluice_backbone_gateways", (known) => known >= this.gateways.length);
    }
    await this.#probe();
    return started;
  }

  /** From now on, only gateways for which `serving` is true get new connections. */
  async serve(serving) {
    this.#serving = serving;
    await this.#probe();
  }

  /** The gateway with the most clients. */
  async fullest() {
    const counted = await Promise.all(this.gateways.map(async (gateway) => [await connections(gateway), gateway]));
    return counted.sort(([a], [b]) => b - a)[0][1];
  }

  /** SIGKILL of a gateway, which the balancers notice at their next look, or after `unnoticed` ms. */
  async kill(gateway, unnoticed = 0) {
    this.#unnoticed.add(gateway);
    setTimeout(() => this.#unnoticed.delete(gateway), unnoticed);
    gateway.program.signal("SIGKILL");
    await this.#gone(gateway);
  }

  /** SIGTERM alone; resolves when the gateway has drained and ended. */
  async terminate(gateway) {
    gateway.program.signal("SIGTERM");
    await this.#gone(gateway);
  }

  /** Drains a gateway by the server API; resolves when it has ended. */
  async drain(gateway, order = { reason: "rollout" }) {
    const { status, body } = await gateway.api("POST", "/v1/drain", order);
    if (status >= 300) throw new Error(`the drain was refused: ${JSON.stringify(body)}`);
    await this.#gone(gateway);
  }

  /** Replaces all gateways by new ones, which alone get new connections; the old ones drain together. */
  async roll() {
    const old = [...this.gateways];
    const fresh = await this.add(old.length);
    await this.serve((gateway) => fresh.includes(gateway));
    await Promise.all(old.map((gateway) => this.drain(gateway)));
    await this.serve(() => true);
  }

  async stop() {
    this.#stopped = true;
    await this.#watching;
    await Promise.all(this.gateways.map((gateway) => gateway.stop()));
    this.balancer.close();
    this.api.close();
  }

  /** Waits for the process's end, which must be a clean one after a drain, and forgets the gateway. */
  async #gone(gateway) {
    const { code, signal } = await within("the gateway to end", gateway.program.exited, DRAIN);
    this.gateways = this.gateways.filter((other) => other !== gateway);
    await gateway.stop();
    if (code !== 0 && signal !== "SIGKILL") throw new Error(`the gateway ended with ${code ?? signal}:\n${gateway.program.output}`);
  }

  async #watch() {
    while (!this.#stopped) {
      await pause(PROBE);
      await this.#probe();
    }
  }

  async #probe() {
    const looked = await Promise.all(this.gateways.map(async (gateway) => [await ready(gateway), gateway]));
    const able = [...looked.filter(([ok]) => ok).map(([, gateway]) => gateway), ...this.#unnoticed];
    this.balancer.serve(able.filter(this.#serving).map((gateway) => gateway.port));
    this.api.serve(able.map(({ apiUrl }) => Number(new URL(apiUrl).port)));
  }
}

/** The value of a metric of a gateway, all its labels added up. */
export async function metric(gateway, name) {
  const lines = (await gateway.metrics()).split("\n");
  const values = lines.filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

/** How many client connections a gateway has. */
export const connections = (gateway) => metric(gateway, "sluice_connections");

/** Resolves when a gateway's metric fulfils `fits`. */
export function metricThat(gateway, name, fits) {
  return until(`${name} of a gateway`, async () => fits(await metric(gateway, name)));
}

function ready(gateway) {
  return fetch(`${gateway.opsUrl}/readyz`, { signal: AbortSignal.timeout(1000) })
    .then((answer) => answer.ok, () => false);
}
