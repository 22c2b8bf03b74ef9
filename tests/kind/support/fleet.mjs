import { API_KEY, SIGNING_KEY, cluster, room } from "../../client/support/documents.mjs";
import { apply, eventually, get, kubectl, patch } from "./kube.mjs";
import { cluster as nodes } from "./nodes.mjs";

/** A drain that takes seconds and not minutes. */
const DRAIN = { settle: "2s", window: "5s", connectionsPerSecond: 500, deadline: "40s" };
/** A client notices soon that its gateway's node has died, but not before the gateway has left the Service. */
const HEARTBEAT = { interval: "10s", timeout: "20s" };
/** A gateway with less than this part of the mean gets connections of the others. */
const EMPTY = 3;
/** So that several run on a machine of two cores. */
const RESOURCES = { requests: { cpu: "20m", memory: "64Mi" } };

/** Conditions by their types, as `{Ready: "True"}`. */
export function conditions(object) {
  return Object.fromEntries((object?.status?.conditions ?? []).map(({ type, status }) => [type, status]));
}

/** Resolves to an object of ours once it is Ready, as it is written now. */
export function ready(namespace, kind, name, patience) {
  let last;
  return eventually(() => `${kind} ${name} to be Ready: ${JSON.stringify(last?.status)}`, async () => {
    last = await get(namespace, kind, name);
    const now = last?.status?.observedGeneration === last?.metadata.generation;
    return now && conditions(last).Ready === "True" && last;
  }, patience);
}

/** A RealtimeCluster over managed NATS whose clients are those of tests/fleet; `spec` overrides whole fields. */
export function realtimeCluster(name, replicas, spec = {}) {
  const document = cluster({
    drain: DRAIN,
    heartbeat: HEARTBEAT,
    gateway: { replicas, resources: RESOURCES },
    // All clients come from one address, and are to be at all gateways.
    service: { sessionAffinity: { type: "None" } },
    backbone: { nats: { managed: { replicas: 3, storage: "1Gi", onDelete: "Drop" } } },
    ...spec,
  });
  return { ...document, metadata: { name } };
}

/** The crowd's rooms in a RealtimeCluster, and all that is published there kept. */
export function crowded(name) {
  return room("crowded", "crowd-*", { clusterRef: { name }, history: { maxMessages: 100_000, maxAge: "1h" } });
}

/** The Secret that the documents of the tests name. */
export function keys() {
  return { apiVersion: "v1", kind: "Secret", metadata: { name: "keys" }, stringData: { jwt: SIGNING_KEY, api: API_KEY } };
}

/** A fleet that the operator has made of a RealtimeCluster. */
export class KubeFleet {
  constructor(namespace, name) {
    Object.assign(this, { namespace, name });
    this.selector = `sluice.dev/cluster=${name},app.kubernetes.io/component=gateway`;
    this.natsSelector = `sluice.dev/cluster=${name},app.kubernetes.io/component=nats`;
  }

  /** Applies documents and resolves to the fleet once it is Ready, and its Rooms are in force. */
  static async start(namespace, documents, patience = 300_000) {
    await apply(namespace, documents);
    const { metadata: { name } } = [documents].flat().find(({ kind }) => kind === "RealtimeCluster");
    const fleet = new KubeFleet(namespace, name);
    await ready(namespace, "realtimecluster", name, patience);
    const rooms = [documents].flat().filter(({ kind }) => kind === "Room");
    for (const { metadata } of rooms) await ready(namespace, "room", metadata.name, patience);
    const [clients, api] = await Promise.all([name, `${name}-api`].map((service) => get(namespace, "service", service)));
    const [address, { port, name: scheme }] = [clients.spec.clusterIP, clients.spec.ports[0]];
    fleet.balancer = { url: `${scheme}://${address}:${port}`, wsUrl: `${scheme.replace("http", "ws")}://${address}:${port}/ws` };
    fleet.api = { url: `http://${api.spec.clusterIP}:${api.spec.ports[0].port}` };
    return fleet;
  }

  /** The pods of the gateways that run, those that drain too. */
  gateways() {
    return get(this.namespace, "pods", undefined, "-l", this.selector);
  }

  nats() {
    return get(this.namespace, "pods", undefined, "-l", this.natsSelector);
  }

  object() {
    return get(this.namespace, "realtimecluster", this.name);
  }

  change(spec) {
    return patch(this.namespace, "realtimecluster", this.name, { spec });
  }

  /** Resolves once exactly `count` gateways run, all of the newest revision and ready, and nothing moves. */
  settled(count, patience = 300_000) {
    let last;
    return eventually(() => `${count} gateways of ${this.name}: ${JSON.stringify(last)}`, async () => {
      const [pods, object] = await Promise.all([this.gateways(), this.object()]);
      last = { pods: pods.map(describe), status: object.status };
      const still = pods.length === count && pods.every((pod) => isReady(pod) && !pod.metadata.deletionTimestamp);
      const one = new Set(pods.map(revision)).size <= 1 && pods.every((pod) => revision(pod) === object.status.revision);
      return still && one && object.status.observedGeneration === object.metadata.generation && pods;
    }, patience);
  }

  /** Resolves once no gateway has so few connections that the operator moves others to it. */
  even(patience = 120_000) {
    let counts;
    return eventually(() => `${this.name} to be even: ${counts}`, async () => {
      counts = await Promise.all((await this.gateways()).map(connections));
      const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
      return Math.min(...counts) >= mean / EMPTY && !(await this.rebalances());
    }, patience);
  }

  /** Whether the operator moves connections, or is about to. */
  async rebalances() {
    const { status } = await this.object();
    return status.conditions.some(({ reason }) => reason === "Rebalancing");
  }

  /** The gateway with the most clients. */
  async fullest() {
    const pods = (await this.gateways()).filter(isReady);
    const counted = await Promise.all(pods.map(async (pod) => [await connections(pod), pod]));
    return counted.sort(([a], [b]) => b - a)[0][1];
  }

  /** Resolves when all NATS servers are ready. */
  natsReady(patience = 300_000) {
    return eventually("NATS to be ready", async () => {
      const pods = await this.nats();
      return pods.length > 0 && pods.every((pod) => isReady(pod) && !pod.metadata.deletionTimestamp);
    }, patience);
  }

  /** What the server API of one gateway says of the fleet. */
  async said(pod) {
    const answer = await fetch(`http://${pod.status.podIP}:3001/v1/fleet`, {
      headers: { authorization: `Bearer ${API_KEY}` },
      signal: AbortSignal.timeout(2000),
    });
    return answer.json();
  }
}

/** SIGKILL, or another signal, to all processes of a pod. */
export function signal(pod, name = "KILL") {
  return nodes("signal-pod", pod.spec.nodeName, name, pod.metadata.uid);
}

export const isReady = ({ status }) =>
  (status.conditions ?? []).some(({ type, status: is }) => type === "Ready" && is === "True");

export const revision = ({ metadata }) => metadata.labels["sluice.dev/revision"];

const describe = (pod) => `${pod.metadata.name} ${pod.status.phase}${isReady(pod) ? " ready" : ""}${pod.metadata.deletionTimestamp ? " ending" : ""}`;

/** The value of a gateway's metric, all its labels added up. */
export async function metric(pod, name) {
  const answer = await fetch(`http://${pod.status.podIP}:3002/metrics`, { signal: AbortSignal.timeout(5000) });
  const lines = (await answer.text()).split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

export const connections = (pod) => metric(pod, "sluice_connections");

/** Deletes pods as a user would. */
export const deletePod = (namespace, name, ...rest) => kubectl(["delete", "pod", "-n", namespace, name, "--wait=false", ...rest]);
