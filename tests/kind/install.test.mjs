import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before as first, describe, test } from "node:test";
import { sign } from "../client/support/tokens.mjs";
import { until, within } from "../client/support/wait.mjs";
import { KubeFleet, connections } from "./support/fleet.mjs";
import { apply, eventually, get, gone, helm, kubectl, restricted } from "./support/kube.mjs";
import { firstFleet } from "./support/readme.mjs";
import { SYSTEM, install, uninstall } from "./support/release.mjs";

const { io } = createRequire(new URL("../fleet/package.json", import.meta.url))("socket.io-client");

const NAMESPACE = "first";
/** What can be in a namespace. */
const IN_A_NAMESPACE = [
  "pods", "services", "deployments", "statefulsets", "configmaps", "secrets", "serviceaccounts", "roles", "rolebindings", "leases",
  "networkpolicies", "poddisruptionbudgets", "persistentvolumeclaims",
];
/** Connections of one address: by chance they would not all be at one gateway. */
const MANY = 16;

describe("from nothing", () => {
  let before;
  let fleet;
  const sockets = [];
  first(async () => {
    // In this order: an operator that is there takes back what it made.
    await kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found"]);
    await uninstall();
    before = await clusterWide();
  });
  after(async () => {
    for (const socket of sockets) socket.disconnect();
    await kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false"]);
  });

  test("both charts are installed, under the restricted Pod Security Standard", () => install());

  test("the chart's own test passes", async () => {
    assert.match(await helm("test", "sluice", "-n", SYSTEM, "--timeout", "3m"), /Succeeded/);
  });

  test("the README's RealtimeCluster becomes Ready", async () => {
    await apply("default", restricted(NAMESPACE));
    const kinds = await kubectl(["apply", "-n", NAMESPACE, "-f", "-", "-o", "json"], firstFleet()).then((text) => JSON.parse(text));
    const { metadata: { name } } = [kinds.items ?? kinds].flat().find(({ kind }) => kind === "RealtimeCluster");
    fleet = await KubeFleet.start(NAMESPACE, [await get(NAMESPACE, "realtimecluster", name).then(bare)]);
    const columns = await kubectl(["get", "-n", NAMESPACE, "realtimecluster", name]);
    console.log(columns);
    assert.match(columns, /True/);
  });

  test("stock clients chat through the Service, and recover", async () => {
    const [ann, bob] = await Promise.all(["ann", "bob"].map((user) => entered(user)));
    const heard = [];
    bob.on("message", (data) => heard.push(data.text));
    const said = (text) => ann.emitWithAck("publish", "team-red", "message", { text });
    assert.equal((await said("hello")).ok, true);
    await until("bob to hear it", () => heard.length === 1);
    const back = within("bob to be back", new Promise((resolve) => bob.once("connect", resolve)));
    bob.io.engine.close();
    assert.equal((await said("while you were away")).ok, true);
    await back;
    assert.equal(bob.recovered, true);
    await until("bob to get what he missed", () => heard.length === 2);
    assert.deepEqual(heard, ["hello", "while you were away"]);
  });

  test("connections of one address go to one gateway", async () => {
    const counts = async () => (await Promise.all((await fleet.gateways()).map(connections))).sort((a, b) => a - b);
    const [least] = await counts();
    await Promise.all(Array.from({ length: MANY }, (_, n) => entered(`crowd-${n}`, ["websocket"])));
    const later = await counts();
    assert.ok(later.length > 1, "there is one gateway only");
    assert.equal(later[0], least);
    assert.ok(later.at(-1) >= MANY, `${later}`);
  });

  test("a deleted RealtimeCluster takes with it what it made", async () => {
    for (const socket of sockets) socket.disconnect();
    await kubectl(["delete", "-n", NAMESPACE, "realtimecluster,room", "--all", "--timeout=100s"]);
    for (const kind of IN_A_NAMESPACE) await gone(NAMESPACE, kind, "sluice.dev/cluster");
  });

  test("an uninstalled release leaves the custom resources, and nothing else", async () => {
    await helm("uninstall", "sluice", "-n", SYSTEM, "--wait");
    await helm("uninstall", "sluice-crds", "-n", SYSTEM, "--wait");
    const kept = ["customresourcedefinition/realtimeclusters.sluice.dev", "customresourcedefinition/rooms.sluice.dev", `namespace/${NAMESPACE}`, `namespace/${SYSTEM}`];
    let left;
    await eventually(() => `only ${kept} to be left, and not ${left}`, async () => {
      left = (await clusterWide()).filter((name) => !before.includes(name) && !kept.includes(name));
      return left.length === 0;
    });
    // The Lease by which operators agreed has no owner, and says nothing once they are gone.
    await eventually(() => `nothing to be left in ${SYSTEM}, and not ${left}`, async () => {
      left = (await names(IN_A_NAMESPACE, SYSTEM)).filter((name) => !/\/(default|kube-root-ca.crt)$|^lease/.test(name));
      return left.length === 0;
    });
    await uninstall();
  });

  /** A stock client in the room of the README. */
  async function entered(user, transports) {
    const key = Buffer.from((await get(NAMESPACE, "secret", "first-keys")).data.tokens, "base64").toString();
    const socket = io(fleet.balancer.url, {
      forceNew: true, reconnectionDelay: 200, reconnectionDelayMax: 1000, ...(transports && { transports }),
      auth: (send) => send({ token: sign(key, { sub: user, teams: ["red"] }) }),
    });
    sockets.push(socket);
    await within(`${user} to be connected`, new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
    }));
    // Gateways make the stream of the rooms as soon as a majority of the NATS servers agrees.
    await until(`${user} to be in its room`, async () => {
      const joined = await socket.emitWithAck("join", "team-red");
      if (!joined.ok && joined.error.code !== "backbone_unavailable") throw new Error(JSON.stringify(joined));
      return joined.ok;
    }, 60_000);
    return socket;
  }
});

/** An object as a user would write it. */
const bare = ({ apiVersion, kind, metadata: { name }, spec }) => ({ apiVersion, kind, metadata: { name }, spec });

/** What there is outside of namespaces, as `kind/name`. */
const clusterWide = () => names(["customresourcedefinitions", "clusterroles", "clusterrolebindings", "namespaces", "persistentvolumes"]);

async function names(kinds, namespace = "default") {
  const lists = await Promise.all(kinds.map((kind) => get(namespace, kind)));
  return lists.flat().map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);
}
