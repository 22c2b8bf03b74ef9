import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A nats-server of its own, on a port that it chooses. `NATS_SERVER` says where the program is. */
export class Nats {
  private constructor(
    private readonly child: ChildProcess,
    readonly address: string,
  ) {}

  static async start(): Promise<Nats> {
    const child = spawn(process.env.NATS_SERVER ?? "nats-server", ["-a", "127.0.0.1", "-p", "-1"], {
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

  pause(): void {
    this.child.kill("SIGSTOP");
  }

  resume(): void {
    this.child.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }
}
