import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { within } from "./wait.mjs";

const TARGET = fileURLToPath(new URL("../../../target/", import.meta.url));

/**
 * The path of a program of this repository: what its variable says, such as `SLUICE_GATEWAY_BINARY`, else what
 * `cargo build` makes.
 */
export function binary(name) {
  const path = process.env[`${name.toUpperCase().replaceAll("-", "_")}_BINARY`] ?? `${TARGET}debug/${name}`;
  if (existsSync(path)) return path;
  throw new Error(`${path} is missing. Build it with: cargo build -p ${name}`);
}

let taken = 0;

/**
 * The path of the gateway's program. `SLUICE_GATEWAYS` names several, as PATH names folders, which are taken by turns:
 * a fleet of three over two of them has gateways of both.
 */
export function gatewayBinary() {
  const several = (process.env.SLUICE_GATEWAYS ?? "").split(delimiter).filter(Boolean);
  return several.length ? several[taken++ % several.length] : binary("sluice-gateway");
}

/** The programs that run; none of them outlives this process. */
const running = new Set();
const endAll = () => { for (const child of running) child.kill("SIGKILL"); };
process.once("exit", endAll);

/**
 * What a file of tests cannot do without, such as a gateway that starts. If it fails, all programs end: Node leaves a file
 * that fails before its first test without the event above, once the file has said what to do after its tests.
 */
export async function needed(starting) {
  try {
    return await starting;
  } catch (error) {
    endAll();
    throw error;
  }
}

/** A program under test: started, watched, and ended by its own process id. */
export class Program {
  #child;
  #output = "";

  constructor(path, args, env = {}) {
    this.#child = spawn(path, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on("data", (chunk) => { this.#output = (this.#output + chunk).slice(-100_000); });
    }
    running.add(this.#child);
    this.exited = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve({ error }));
      this.#child.once("exit", (code, signal) => {
        running.delete(this.#child);
        resolve({ code, signal });
      });
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** The last 100,000 characters that it has written to stdout and stderr. */
  get output() {
    return this.#output;
  }

  get running() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name) {
    this.#child.kill(name);
  }

  /** Ends it at once; waits until it is gone. */
  async stop() {
    if (this.running) this.signal("SIGKILL");
    await within("the program to end", this.exited);
  }
}
