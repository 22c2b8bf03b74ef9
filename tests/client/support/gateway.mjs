import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { API_KEY, SIGNING_KEY, cluster, kept, secret, stream } from "./documents.mjs";
import { freePorts } from "./ports.mjs";
import { Program, gatewayBinary, needed } from "./process.mjs";
import { sign } from "./tokens.mjs";
import { until } from "./wait.mjs";

/** A gateway for the tests of one file, which is stopped after the last of them. */
export async function useGateway(documents) {
  const gateway = await needed(Gateway.start(documents));
  after(() => gateway.stop());
  return gateway;
}

/** A gateway on free ports, with its own configuration file. */
export class Gateway {
  #program;
  #directory;
  #closers = new Set();

  /** Starts one and waits until it is ready; `documents` as for `configure`. */
  static async start(documents = [cluster(), kept]) {
    const gateway = new Gateway();
    gateway.#directory = await mkdtemp(join(tmpdir(), "sluice-test-"));
    const [clients, api, ops] = await freePorts(3);
    gateway.port = clients;
    gateway.url = `http://127.0.0.1:${clients}`;
    gateway.wsUrl = `ws://127.0.0.1:${clients}/ws`;
    gateway.apiUrl = `http://127.0.0.1:${api}`;
    gateway.opsUrl = `http://127.0.0.1:${ops}`;
    await gateway.configure(documents);
    gateway.#program = new Program(gatewayBinary(), ["--config", gateway.config], {
      SLUICE_LISTEN: `127.0.0.1:${clients}`,
      SLUICE_API_LISTEN: `127.0.0.1:${api}`,
      SLUICE_OPS_LISTEN: `127.0.0.1:${ops}`,
    });
    await gateway.#ready();
    return gateway;
  }

  get config() {
    return join(this.#directory, "gateway.yaml");
  }

  get program() {
    return this.#program;
  }

  /**
   * Replaces the configuration in one step, as a mounted ConfigMap is replaced: by documents,
   * to which the Secret with the test keys is added, or by a whole file's text.
   */
  async configure(documents) {
    const text = typeof documents === "string" ? documents : stream([secret(), ...documents]);
    await writeFile(`${this.config}.new`, text);
    await rename(`${this.config}.new`, this.config);
  }

  /** A token for `user` that this gateway accepts. */
  token(user, claims = {}) {
    return sign(SIGNING_KEY, { sub: user, ...claims });
  }

  /** Calls the server API with its bearer key; resolves to `{status, body}`. */
  async api(method, path, body, headers = {}) {
    const response = await fetch(this.apiUrl + path, {
      method,
      headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : undefined };
  }

  async metrics() {
    return (await fetch(`${this.opsUrl}/metrics`)).text();
  }

  /** Runs `close` when the gateway is stopped. */
  whenStopped(close) {
    this.#closers.add(close);
  }

  async stop() {
    for (const close of this.#closers) close();
    await this.#program.stop();
    await rm(this.#directory, { recursive: true, force: true });
    // It ends the build that users get, and only a part of the one that tests run.
    if (this.#program.output.includes("panicked at")) throw new Error(`the gateway panicked:\n${this.#program.output}`);
  }

  async #ready() {
    await until("the gateway to be ready", async () => {
      if (!this.#program.running) throw new Error(`the gateway ended:\n${this.#program.output}`);
      return fetch(`${this.opsUrl}/readyz`).then((answer) => answer.ok, () => false);
    });
  }
}
