import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ApiServer } from "../../charts/support/apiserver.mjs";
import { secret } from "../../client/support/documents.mjs";
import { freePorts } from "../../client/support/ports.mjs";
import { Program, binary } from "../../client/support/process.mjs";
import { until } from "../../client/support/wait.mjs";
import { crowded, fleetCluster } from "../../fleet/support/documents.mjs";

const DEFINITIONS = new URL("../../../crds/yaml/", import.meta.url);
/** How often a RealtimeCluster is changed, in milliseconds. */
const OFTEN = 1000;

/** A real operator on a real API server without nodes, with a fleet that changes all the time and one that cannot be. */
export class Operator {
  #changes = 0;

  /** `nats` is the URL of the NATS of the fleet that changes, `spec` what its RealtimeCluster says besides. */
  static async start(nats, spec) {
    const operator = new Operator();
    await operator.#start(nats, spec).catch((error) => operator.stop().then(() => Promise.reject(error)));
    return operator;
  }

  /** What Prometheus scrapes. */
  get target() {
    return { address: this.address, labels: { namespace: "sluice-system", pod: "sluice-0" } };
  }

  async stop() {
    clearInterval(this.timer);
    await this.program?.stop();
    await this.server?.stop();
  }

  async #start(nats, spec) {
    this.server = await ApiServer.start();
    for (const name of ["realtimeclusters", "rooms"]) {
      await this.server.kubectl(["apply", "-f", "-"], readFileSync(new URL(`${name}.yaml`, DEFINITIONS), "utf8"));
    }
    await this.server.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
    const [port] = await freePorts(1);
    this.address = `127.0.0.1:${port}`;
    this.program = new Program(binary("sluice-operator"), ["--metrics-listen", this.address, "--namespace", "default"], {
      KUBECONFIG: join(this.server.folder, "kubeconfig"),
    });
    await until(() => `the operator\n${this.program.output}`, () => fetch(`http://${this.address}/readyz`).then(({ ok }) => ok, () => false));
    await this.#apply(nats, spec);
    this.timer = setInterval(() => this.#change(), OFTEN);
  }

  async #apply(nats, spec) {
    const unable = { ...fleetCluster(nats), metadata: { name: "unable" } };
    unable.spec.auth.jwt.keySecretRef = { name: "not-there", key: "jwt" };
    const items = [secret(), fleetCluster(nats, spec), crowded, unable];
    await this.server.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  }

  /** Changes what gateways work by, so that documents are written and given to them. */
  #change() {
    this.#changes += 1;
    const spec = { limits: { messagesPerSecond: 1000 + this.#changes } };
    this.server.kubectl(["patch", "realtimecluster", "test", "--type=merge", "-p", JSON.stringify({ spec })]).catch(() => {});
  }
}
