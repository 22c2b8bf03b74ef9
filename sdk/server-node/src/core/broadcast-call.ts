import type { BroadcastError } from "../events/types.js";
import type { Gateway } from "../link/gateway.js";
import type { Call } from "./calls.js";

/** How long after its time a broadcast waits for the gateways to say who is missing, in ms. */
const GRACE = 250;

/** A broadcast that is to be acknowledged: gathers the answers of all gateways that were there when it was sent. */
export class BroadcastCall implements Call {
  private readonly waiting: Set<Gateway>;
  private readonly responses: unknown[] = [];
  private readonly missing: string[] = [];
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(
    gateways: Iterable<Gateway>,
    ttl: number | undefined,
    private readonly then: (error: BroadcastError | null, responses: unknown[]) => void,
  ) {
    this.waiting = new Set(gateways);
    if (ttl !== undefined) this.timer = setTimeout(() => this.overdue(), ttl);
    if (this.waiting.size === 0) queueMicrotask(() => this.end());
  }

  answer(_gateway: Gateway, _handle: string, args: unknown[]): void {
    if (!this.ended) this.responses.push(args[0]);
  }

  done(gateway: Gateway, missing: string[]): void {
    this.missing.push(...missing);
    this.waiting.delete(gateway);
    if (this.waiting.size === 0) this.end();
  }

  failed(gateway: Gateway): void {
    this.done(gateway, []);
  }

  private overdue(): void {
    // The gateways keep the same time, and say who is missing about now.
    this.timer = setTimeout(() => this.end(true), GRACE);
  }

  private end(late = false): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    if (!late && this.missing.length === 0) return this.then(null, this.responses);
    const error: BroadcastError = new Error("operation has timed out");
    error.responses = this.responses;
    error.missing = this.missing;
    this.then(error, this.responses);
  }
}
