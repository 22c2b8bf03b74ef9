import { Worker } from "node:worker_threads";
import type { NatsOptions } from "../options.js";
import type { InstanceBeat } from "./beat.js";
import { Shared } from "./shared.js";
import type { WorkerData } from "./worker.js";
import code from "./worker.js?text";

/** Says to gateways and to other instances that this one is there, from a thread of its own. */
export class Beats {
  private readonly shared = new Shared();
  private worker: Worker | undefined;

  constructor(
    private readonly nats: NatsOptions,
    private readonly subject: string,
    private readonly beat: WorkerData["beat"],
  ) {
    this.ran();
  }

  start(): void {
    const data: WorkerData = {
      nats: this.nats,
      subject: this.subject,
      beat: this.beat,
      memory: this.shared.memory,
    };
    const worker = new Worker(code, { eval: true, workerData: data, execArgv: [] });
    this.worker = worker;
    worker.on("error", (error) => {
      if (this.worker !== worker) return;
      process.emitWarning(
        `The thread that says that this instance is there ended and is started again: ${error.message}`,
      );
      setTimeout(() => this.worker === worker && this.start(), 1000).unref();
    });
    worker.unref();
  }

  /** The main loop runs. */
  ran(now = Date.now()): void {
    this.shared.ran(now);
  }

  set sessions(count: number) {
    this.shared.sessions = count;
  }

  get leaving(): boolean {
    return this.shared.leaving;
  }

  set leaving(leaving: boolean) {
    this.shared.leaving = leaving;
  }

  /** The beat of this moment, for what is to be known before the thread says it. */
  now(bye = false): InstanceBeat {
    const leaving = this.shared.leaving || bye;
    return { ...this.beat, sessions: this.shared.sessions, tick: 0, ...(leaving && { leaving }), ...(bye && { bye }) };
  }

  async stop(): Promise<void> {
    const worker = this.worker;
    this.worker = undefined;
    await worker?.terminate();
  }
}
