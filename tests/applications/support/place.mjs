import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { io as connect } from "socket.io-client";
import { Server } from "../../../sdk/server-node/dist/index.js";
import { cluster } from "../../client/support/documents.mjs";
import { Gateway } from "../../client/support/gateway.mjs";
import { useNats } from "../../client/support/nats.mjs";
import { needed, Program } from "../../client/support/process.mjs";
import { until } from "../../client/support/wait.mjs";

const INSTANCE = fileURLToPath(new URL("./instance.mjs", import.meta.url));

/** Gateways of one cluster with one application that has every namespace, and what tests start beside them. */
export class Place {
  gateways = [];
  #open = [];

  /** For the tests of one file: `count` gateways, which end after the last test. */
  static async use(count = 1, application = {}) {
    const place = new Place();
    place.nats = await useNats();
    const documents = [
      cluster({
        auth: { required: false },
        backbone: { nats: { external: { url: place.nats } } },
        applications: [{ name: "app", namespaces: ["/*"], handshake: { headers: ["x-tenant"], cookies: [], query: ["theme"] }, ...application }],
      }),
    ];
    place.gateways = await needed(Promise.all(Array.from({ length: count }, () => Gateway.start(documents))));
    after(async () => {
      await place.end();
      for (const gateway of place.gateways) await gateway.stop();
    });
    return place;
  }

  get options() {
    return { servers: this.nats, cluster: "test", application: "app", leaveOn: [] };
  }

  /** An instance in this process. */
  server(options = {}) {
    const io = new Server({ ...this.options, ...options });
    this.#open.push(() => io.close());
    return io;
  }

  /** An instance that is a process of its own; see instance.mjs for what it does. Its name is `name`. */
  async instance(name) {
    const program = new Program(process.execPath, [INSTANCE], {
      SLUICE_SERVERS: this.nats,
      SLUICE_CLUSTER: "test",
      SLUICE_APPLICATION: "app",
      SLUICE_NAME: name,
    });
    this.#open.push(() => program.stop());
    await until(`the instance ${name}`, () => {
      if (!program.running) throw new Error(`the instance ended:\n${program.output}`);
      return program.output.includes("ready");
    });
    return program;
  }

  /** A stock client of the gateway of that number. */
  client(path = "/", options = {}, gateway = 0) {
    const socket = connect(this.gateways[gateway].url + path, { forceNew: true, transports: ["websocket"], ...options });
    this.#open.push(() => socket.disconnect());
    return socket;
  }

  /** Ends instances and clients; gateways go on. */
  async end() {
    await Promise.all(this.#open.splice(0).reverse().map((end) => end()));
  }
}
