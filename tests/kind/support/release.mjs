import { fileURLToPath } from "node:url";
import { apply, eventually, get, helm, kubectl, restricted } from "./kube.mjs";

const chart = (name) => fileURLToPath(new URL(`../../../charts/${name}`, import.meta.url));

/** The Kubernetes namespace of the operator. */
export const SYSTEM = "sluice-system";

/** The images of the working tree, as tests/kind/images names them. */
const IMAGES = ["--set=image.tag=dev", "--set=gateway.image.tag=dev", "--set=nats.image.tag=dev"];

/** Installs both charts, or upgrades them; resolves when the operators are ready. */
export async function install(...settings) {
  await apply("default", restricted(SYSTEM));
  await helm("upgrade", "--install", "sluice-crds", chart("sluice-crds"), "-n", SYSTEM, "--wait");
  await helm("upgrade", "--install", "sluice", chart("sluice"), "-n", SYSTEM, ...IMAGES, ...settings, "--wait", "--timeout=5m");
}

/** Takes both away, and with them every RealtimeCluster and Room. */
export async function uninstall() {
  await helm("uninstall", "sluice", "-n", SYSTEM, "--ignore-not-found", "--wait");
  await helm("uninstall", "sluice-crds", "-n", SYSTEM, "--ignore-not-found", "--wait");
  await kubectl(["delete", "crd", "realtimeclusters.sluice.dev", "rooms.sluice.dev", "--ignore-not-found"]);
}

/** The operator that works now: the name of its pod. */
export async function leader() {
  return eventually("a leading operator", async () => {
    const leases = await get(SYSTEM, "leases");
    const holder = leases.find(({ metadata }) => metadata.name.includes("sluice"))?.spec.holderIdentity;
    const pods = await get(SYSTEM, "pods", undefined, "-l", "app.kubernetes.io/name=sluice-operator");
    return pods.map(({ metadata }) => metadata.name).find((name) => holder?.includes(name));
  });
}
