import { Backoff } from "./backoff.js";
import { passes } from "../errors.js";
import type { Answer, Meta } from "./wire.js";

/** Whether the client is a member of a room: `joining` also while it comes back. */
export type RoomPhase = "unsubscribed" | "joining" | "joined";

/** What the client sends about a room next. */
export type RoomStep =
  | { readonly do: "join"; readonly after?: number; readonly epoch?: string }
  | { readonly do: "leave" }
  | { readonly do: "wait"; readonly ms: number };

/**
 * One room: whether the client is a member, and how far it has read. It sends nothing and reads no clock; the next
 * step comes out of its methods.
 */
export class Membership {
  phase: RoomPhase = "unsubscribed";
  /** Why it is in this phase: `new`, `wanted`, `left`, `joined`, `disconnected`, or the code of a refusal. */
  reason = "new";
  /** Whether nothing was missed when it was joined last; undefined where it was the first time. */
  recovered: boolean | undefined;
  /** The history's identity; undefined where the room has none. */
  epoch: string | undefined;
  /** The offset up to which all is read. */
  offset: number | undefined;
  #wanted = false;
  #connected = false;
  #joinedBefore = false;
  readonly #backoff = new Backoff(1_000, 30_000);

  /** Somebody wants the room's messages, or nobody does any more. */
  want(wanted: boolean): RoomStep | undefined {
    if (wanted === this.#wanted) return undefined;
    this.#wanted = wanted;
    if (wanted) return this.#join("wanted");
    const member = this.phase !== "unsubscribed" && this.#connected;
    // Why it was refused stays to be seen.
    if (this.phase !== "unsubscribed") this.#away("left");
    // What comes until it is joined again is not wanted, so it is nothing to go on from.
    this.epoch = this.offset = this.recovered = undefined;
    this.#joinedBefore = false;
    return member ? { do: "leave" } : undefined;
  }

  /** There is a connection. Also a session that was recovered joins again: it might not be allowed to any more. */
  connected(): RoomStep | undefined {
    this.#connected = true;
    this.#backoff.reset();
    return this.#wanted ? this.#join("wanted") : undefined;
  }

  /** There is none any more, and the client comes back by itself. */
  disconnected(): void {
    this.#connected = false;
    if (!this.#wanted) return;
    this.phase = "joining";
    this.reason = "disconnected";
  }

  /** The client does not come back by itself. If it does, it goes on from where it was. */
  over(reason: string): void {
    this.#connected = false;
    if (this.#wanted) this.#away(reason);
  }

  /** The pause after a refusal is over. */
  waited(): RoomStep | undefined {
    return this.#wanted && this.phase === "joining" ? this.#join("wanted") : undefined;
  }

  /** The answer to the last `join`. */
  answered(answer: Answer, random: number): RoomStep | undefined {
    if (this.phase !== "joining" || !this.#connected) return undefined;
    if (!answer.ok) return this.#refused(answer.error?.code ?? "refused", random);
    const { epoch, offset, recovered } = answer as { epoch?: string; offset?: number; recovered?: boolean };
    this.recovered = this.#joinedBefore ? recovered === true : undefined;
    // What was missed has come before the answer, and has said how far it is. The answer's own offset counts where the
    // room is read from there on.
    if (recovered !== true || epoch !== this.epoch) this.offset = epoch === undefined ? undefined : offset;
    this.epoch = epoch;
    this.#joinedBefore = true;
    this.phase = "joined";
    this.reason = "joined";
    return undefined;
  }

  /** Whether a message is one that the client has not had. */
  takes(meta: Meta): boolean {
    if (!this.#wanted) return false;
    if (meta.offset === undefined) return true;
    if (this.offset !== undefined && meta.offset <= this.offset) return false;
    this.offset = meta.offset;
    return true;
  }

  /** The gateway has taken the session out of the room. */
  revoked(reason: string): void {
    this.#away(reason);
  }

  #join(reason: string): RoomStep | undefined {
    this.phase = "joining";
    this.reason = reason;
    if (!this.#connected) return undefined;
    const { epoch, offset } = this;
    return epoch === undefined || offset === undefined ? { do: "join" } : { do: "join", after: offset, epoch };
  }

  #refused(code: string, random: number): RoomStep | undefined {
    if (passes(code)) {
      this.reason = code;
      return { do: "wait", ms: this.#backoff.next(random, 200) };
    }
    this.#away(code);
    return undefined;
  }

  #away(reason: string): void {
    this.phase = "unsubscribed";
    this.reason = reason;
  }
}
