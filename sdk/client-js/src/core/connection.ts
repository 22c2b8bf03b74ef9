import { Backoff } from "./backoff.js";
import { closeName, returnAfter } from "./close.js";

/** Why a token is asked for. */
export type TokenReason = "connect" | "expiring" | "refused";

/** What the client does about its connection next. */
export type Step =
  | { readonly do: "ask-token"; readonly reason: TokenReason }
  | { readonly do: "open" }
  | { readonly do: "close" }
  | { readonly do: "wait"; readonly ms: number };

/**
 * - `off`: not wanted, or ended for good.
 * - `waiting`: until the next attempt.
 * - `token`: for the application's token.
 * - `opening`: the transport opens, and the gateway is asked to connect.
 */
export type Phase = "off" | "waiting" | "token" | "opening" | "connected";

/** A connection that lasted so long was a good one: the pauses begin anew after it. */
const GOOD = 10_000;

/** At most so long after `online` or a wake does the next attempt begin: not all clients of an office at once. */
const SOON = 200;

/** The most over which clients spread that lose a gateway in the middle of its drain. */
const SPREAD = 5_000;

/** Refusals of `connect` after which another token may be let in. */
const aboutToken = (code: string) => code.startsWith("token_") || code === "key_unknown";

/**
 * Decides when the client connects, and what the end of a connection leads to. It opens nothing and reads no clock:
 * what happened comes in by its methods, with the time and a random number where they count, and the next step comes
 * out.
 */
export class Connection {
  phase: Phase = "off";
  /** Why it is not connected: a close's name, a refusal's code, or what the client itself did. */
  reason = "new";
  readonly #backoff = new Backoff();
  #since = 0;
  /** The code of the last refusal of `connect`, until a token is let in. */
  #refused: string | undefined;
  /** Until when the gateway drains. */
  #drained = 0;
  /** Whether a token that was asked for because of a refusal was refused as well. */
  #tokenTried = false;

  /** The application wants to be connected. */
  start(): Step | undefined {
    if (this.phase !== "off") return undefined;
    this.#tokenTried = false;
    this.#refused = undefined;
    this.#backoff.reset();
    return this.#ask("connect");
  }

  /** The application wants it no more, or nothing can be done: `reason` says which. */
  stop(reason: string): Step {
    this.phase = "off";
    this.reason = reason;
    return { do: "close" };
  }

  /** `getToken` has answered. */
  token(): Step | undefined {
    if (this.phase !== "token") return undefined;
    this.phase = "opening";
    return { do: "open" };
  }

  /** `getToken` has failed with something that may pass. */
  tokenFailed(random: number): Step | undefined {
    return this.phase === "token" ? this.#wait("token_failed", this.#backoff.next(random)) : undefined;
  }

  /** The gateway has let the client in. */
  greeted(now: number): void {
    this.phase = "connected";
    this.reason = "connected";
    this.#since = now;
    this.#drained = 0;
    this.#tokenTried = false;
    this.#refused = undefined;
  }

  /** The gateway has refused to let the client in; it closes the connection next, which says what to do. */
  refused(code: string): void {
    this.#refused = code;
  }

  /** The connection has ended, or did not come about. `retryAfter` is what an HTTP answer asked for, in milliseconds. */
  closed(code: number, reason: string, now: number, random: number, retryAfter = 0): Step | undefined {
    if (this.phase !== "opening" && this.phase !== "connected") return undefined;
    if (this.phase === "connected" && now - this.#since >= GOOD) this.#backoff.reset();
    const why = this.#refused ?? closeName(code, reason);
    const then = this.#refused !== undefined && aboutToken(this.#refused) ? "token" : returnAfter(code);
    switch (then) {
      case "never":
        return this.stop(why);
      case "token":
        if (this.#tokenTried && this.#refused !== undefined) return this.stop("unauthorized");
        this.#tokenTried = true;
        return this.#ask("refused");
      case "now":
        // The first time at once; a gateway that does so again and again is not stormed.
        if (this.#backoff.attempts === 0) {
          this.#backoff.next(0);
          return this.#wait(why, random * SOON);
        }
        return this.#wait(why, this.#backoff.next(random));
      default: {
        const pause = this.#backoff.next(random, Math.max(retryAfter, then === "pause" ? 1000 : 0));
        // It went before it had closed everybody: all who were left come back together.
        const spread = random * Math.min(this.#drained - now, SPREAD);
        return this.#wait(why, Math.max(pause, spread));
      }
    }
  }

  /** The gateway has said that it drains, and closes its connections one after the other until then. */
  drains(until: number): void {
    this.#drained = until;
  }

  /** The pause is over. */
  waited(): Step | undefined {
    return this.phase === "waiting" ? this.#ask("connect") : undefined;
  }

  /** The network is back, or the machine is awake again: what waits need not wait longer. */
  hurry(random: number): Step | undefined {
    return this.phase === "waiting" ? { do: "wait", ms: random * SOON } : undefined;
  }

  #ask(reason: TokenReason): Step {
    this.phase = "token";
    return { do: "ask-token", reason };
  }

  #wait(reason: string, ms: number): Step {
    this.phase = "waiting";
    this.reason = reason;
    return { do: "wait", ms };
  }
}
