import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A nats-server of its own, on a port that it chooses. `NATS_SERVER` says where the program is. */
export class Nats {
  private constructor(
    private child: ChildProcess,
    readonly address: string,
  ) {}

  /** On this port, or on one that it chooses. */
  static async start(at = "-1"): Promise<Nats> {
    const child = spawn(process.env.NATS_SERVER ?? "nats-server", ["-a", "127.0.0.1", "-p", at], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    for await (const line of createInterface({ input: child.stderr! })) {
      const port = /Listening for client connections on .*:(\d+)/.exec(line)?.[1];
      if (!port) continue;
      child.stderr!.resume();
      return new Nats(child, `nats://127.0.0.1:${port}`);
    }
    throw new Error("nats-server ended before it listened.");
  }

  /** Kills it, and starts it again where it was. */
  async restart(): Promise<void> {
    await this.stop();
    this.child = (await Nats.start(new URL(this.address).port)).child;
  }

  async stop(): Promise<void> {
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }
}
