/** A request that got no answer for so long, while nothing else came, makes the connection suspect. */
const UNANSWERED = 1_000;

/** So long may a suspect connection say nothing: together with a {@link TICK} and the above it stays within five seconds. */
const PATIENCE = 3_000;

/** How often the client looks: a pause much longer than that was the machine's sleep. */
export const TICK = 1_000;

/** A tick that comes so much later than it should means that the machine slept. */
const SLEPT = 3_000;

/**
 * Finds out whether a connection still carries anything. Browsers show no WebSocket pings, so a `ping` operation asks
 * where there is a doubt. It reads no clock.
 */
export class Probe {
  #heard: number;
  #looked: number;
  /** Since when the oldest request waits for its answer. */
  #asked: number | undefined;
  /** Since when there is a doubt: a `ping` is on its way since then. */
  #suspect: number | undefined;
  /** Doubles with each `ping` that is answered where the request still is not: it only takes its time. */
  #patience = UNANSWERED;

  /** `silence`: after how many milliseconds without a word there is a doubt. */
  constructor(
    now: number,
    private readonly silence: number,
  ) {
    this.#heard = now;
    this.#looked = now;
  }

  /** Something came from the gateway. */
  heard(now: number): void {
    this.#heard = now;
    if (this.#suspect !== undefined && this.#asked !== undefined) this.#patience *= 2;
    this.#suspect = undefined;
    if (this.#asked !== undefined) this.#asked = now;
  }

  /** So many requests wait for an answer. */
  waits(requests: number, now: number): void {
    if (requests > 0) {
      this.#asked ??= now;
      return;
    }
    this.#asked = undefined;
    this.#patience = UNANSWERED;
  }

  /** There is a reason to doubt: `online`, a page that is seen again, a wake. Says whether to ping. */
  doubt(now: number): boolean {
    if (this.#suspect !== undefined) return false;
    this.#suspect = now;
    return true;
  }

  /** To be called every {@link TICK}. */
  look(now: number): "fine" | "ping" | "dead" {
    const slept = now - this.#looked > TICK + SLEPT;
    this.#looked = now;
    if (slept) {
      // Nobody could answer meanwhile: what was asked before is asked again.
      this.#suspect = now;
      return "ping";
    }
    if (this.#suspect !== undefined) return now - this.#suspect >= PATIENCE ? "dead" : "fine";
    const unanswered = this.#asked !== undefined && now - this.#asked >= this.#patience;
    const silent = now - this.#heard >= this.silence;
    return (unanswered || silent) && this.doubt(now) ? "ping" : "fine";
  }
}
