import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { eventually, get } from "./kube.mjs";

const CLUSTER = fileURLToPath(new URL("../cluster", import.meta.url));
const run = promisify(execFile);

/** A command of tests/kind/cluster, such as `kill-node NODE`. */
export async function cluster(...args) {
  return (await run(CLUSTER, args)).stdout;
}

/** The names of the nodes that run workloads. */
export async function workers() {
  const nodes = await get("default", "nodes");
  return nodes.map(({ metadata }) => metadata.name).filter((name) => !name.endsWith("control-plane"));
}

/** Resolves when all nodes are Ready, and take pods. */
export function allReady(patience = 300_000) {
  return eventually("all nodes to be Ready", async () => (await get("default", "nodes")).every(({ spec, status }) =>
    !spec.unschedulable && status.conditions.some(({ type, status: is }) => type === "Ready" && is === "True")), patience);
}

/** Resolves when Kubernetes' own controllers work again, which end while the API server is away. */
export function controllersWork(patience = 120_000) {
  return eventually("Kubernetes' controllers to work", async () => {
    const leases = await Promise.all(["kube-controller-manager", "kube-scheduler"].map((name) => get("kube-system", "lease", name)));
    return leases.every(({ spec }) => Date.now() - Date.parse(spec.renewTime) < 5000);
  }, patience);
}

/** The node of the control plane. */
export async function controlPlane() {
  const nodes = await get("default", "nodes");
  return nodes.map(({ metadata }) => metadata.name).find((name) => name.endsWith("control-plane"));
}
