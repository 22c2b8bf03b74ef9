import { Crowd } from "../../fleet/support/crowd.mjs";
import { Stage } from "../../fleet/support/scenario.mjs";
import { row } from "../../fleet/support/table.mjs";
import { apply, kubectl, restricted } from "./kube.mjs";
import { KubeFleet, crowded, keys, realtimeCluster } from "./fleet.mjs";

/** A fleet on Kubernetes, and a crowd connected to it through its Service. */
export class KubeStage extends Stage {
  /** `settings` are those of the crowd; `spec` overrides fields of the RealtimeCluster. */
  static async set(namespace, replicas, settings, spec) {
    const stage = new KubeStage();
    stage.namespace = namespace;
    await stage.#set(replicas, settings, spec).catch((error) => stage.strike().then(() => Promise.reject(error)));
    console.log(row());
    return stage;
  }

  /** Ends once all is gone: what the operator has to take back it takes back while it is there. */
  async strike() {
    await this.crowd?.stop();
    await kubectl(["delete", "namespace", this.namespace, "--ignore-not-found"]);
  }

  async #set(replicas, settings, spec) {
    // What an earlier run left would be deleted together with what is made now.
    await kubectl(["delete", "namespace", this.namespace, "--ignore-not-found"]);
    await apply("default", restricted(this.namespace));
    const documents = [keys(), realtimeCluster("crowd", replicas, spec), crowded("crowd")];
    this.fleet = await KubeFleet.start(this.namespace, documents);
    this.crowd = await Crowd.start(this.fleet, settings);
  }
}
