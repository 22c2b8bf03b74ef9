import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Inbox } from "./inbox.mjs";

/** A library's driver: a process that reads a command a line and writes a line for all that the library tells. */
export class Driver {
  #child;
  #errors = "";

  constructor([program, ...options]) {
    this.told = new Inbox("the client");
    this.#child = spawn(program, options, { stdio: ["pipe", "pipe", "pipe"] });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.told.add(JSON.parse(line)));
    this.#child.stderr.on("data", (text) => { this.#errors += text; });
    this.#child.on("error", (error) => { this.#errors += error; });
    this.#child.stdin.on("error", () => {});
  }

  does(command) {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /** What it has said on its standard error. */
  get errors() {
    return this.#errors;
  }

  end() {
    this.#child.kill("SIGKILL");
  }
}
