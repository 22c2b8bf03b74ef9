import { SluiceError, passes } from "../errors.js";
import { Backoff } from "./backoff.js";
import type { Data } from "./wire.js";

/** How much may wait, and for how long. */
export interface OutboxLimits {
  /** Publications that wait or are unanswered; 1,000 unless given. */
  readonly items: number;
  /** Their size together in bytes, as they are sent; 4 MiB unless given. */
  readonly bytes: number;
  /** How long one may wait that was never sent, in milliseconds; 10 minutes unless given. */
  readonly age: number;
}

export const OUTBOX_LIMITS: OutboxLimits = { items: 1_000, bytes: 4 << 20, age: 600_000 };

/**
 * Within what a repetition is found out: the publisher, and the room's history where the room is joined. A repetition
 * that is sent within another is delivered a second time.
 */
export interface Scope {
  readonly publisher: string;
  readonly epoch?: string;
}

/** A publication that waits, or is unanswered. It is plain data, so that it can be kept over a reload. */
export interface Item {
  readonly id: string;
  readonly room: string;
  readonly event: string;
  readonly data: Data;
  readonly attachments?: readonly string[];
  readonly echo: boolean;
  readonly bytes: number;
  /** When the application published it. */
  readonly at: number;
  /** When it was sent for the first time, since when it may be stored. */
  sent?: number;
  /** Where it was sent; undefined where nobody finds a repetition out, as in a room without history. */
  scope?: Scope;
}

/** Whether a room's publications can go out: `undefined` says not now, else where they would go. */
export type Gate = (room: string) => { readonly scope?: Scope } | undefined;

/** What is to be done: send these, in this order, and tell of those that failed. */
export interface Turn {
  readonly send: Item[];
  readonly failed: { readonly item: Item; readonly error: SluiceError }[];
  /** When the next turn is due at the latest, if nothing else happens. */
  readonly at: number | undefined;
}

/**
 * A fleet finds repetitions out for two minutes after it has stored the first. An item is stored at the earliest when
 * it is sent first, and a repetition has to arrive in time.
 */
const FOUND_OUT = 110_000;

/** The publications for one room. Only the first is ever on its way, so that a refusal cannot change their order. */
interface Lane {
  readonly items: Item[];
  readonly backoff: Backoff;
  onItsWay: boolean;
  notBefore: number;
}

/** Decides what is published when. It sends nothing, keeps nothing and reads no clock. */
export class Outbox {
  readonly #lanes = new Map<string, Lane>();
  #items = 0;
  #bytes = 0;

  constructor(private readonly limits: OutboxLimits) {}

  get size(): { items: number; bytes: number } {
    return { items: this.#items, bytes: this.#bytes };
  }

  /** All that waits or is unanswered; those of one room in their order. */
  *[Symbol.iterator](): Iterator<Item> {
    for (const lane of this.#lanes.values()) yield* lane.items;
  }

  /** Takes a publication, or says why not. */
  add(item: Item): SluiceError | undefined {
    const { items, bytes } = this.limits;
    if (this.#items >= items || this.#bytes + item.bytes > bytes) {
      const waits = `${this.#items} publications of ${this.#bytes} bytes wait`;
      return new SluiceError("outbox_full", `${waits}; publish again when some of them are sent`);
    }
    this.restore(item);
    return undefined;
  }

  /** Takes a publication that was kept over a reload. */
  restore(item: Item): void {
    let lane = this.#lanes.get(item.room);
    if (!lane) {
      lane = { items: [], backoff: new Backoff(1_000, 30_000), onItsWay: false, notBefore: 0 };
      this.#lanes.set(item.room, lane);
    }
    lane.items.push(item);
    this.#items += 1;
    this.#bytes += item.bytes;
  }

  /** What is to be done now. `gate` says where a room's publications would go. */
  turn(now: number, gate: Gate): Turn {
    const turn: Turn = { send: [], failed: this.#overdue(now), at: undefined };
    let at = Number.POSITIVE_INFINITY;
    for (const lane of this.#lanes.values()) {
      const item = lane.onItsWay ? undefined : this.#next(lane, now, gate, turn.failed);
      if (item) turn.send.push(item);
      for (const left of lane.items) at = Math.min(at, this.#until(left));
      if (lane.items.length && !lane.onItsWay && lane.notBefore > now) at = Math.min(at, lane.notBefore);
    }
    return { ...turn, at: Number.isFinite(at) ? at : undefined };
  }

  /** The gateway has answered: it is stored, or refused for good. */
  settle(id: string, room: string): Item | undefined {
    const lane = this.#lanes.get(room);
    const item = lane?.items.find((item) => item.id === id);
    if (!lane || !item) return undefined;
    if (item === lane.items[0]) lane.onItsWay = false;
    lane.backoff.reset();
    lane.notBefore = 0;
    this.#remove(lane, item);
    return item;
  }

  /** The gateway has refused it with this code. Says whether it stays, to be sent again after a pause. */
  refused(item: Item, code: string, now: number, random: number): boolean {
    const lane = this.#lanes.get(item.room);
    if (!lane || lane.items[0] !== item || !passes(code)) return false;
    lane.onItsWay = false;
    lane.notBefore = now + lane.backoff.next(random, 200);
    // A refusal for being too fast says that it was not taken; the others leave that open.
    if (!["overloaded", "backbone_unavailable", "disconnected"].includes(code)) {
      delete item.sent;
      delete item.scope;
    }
    return true;
  }

  /**
   * What is on its way is not answered any more. Returns what nobody could find out the repetition of; and, where the
   * gateway has closed because a message was `tooLarge`, the largest, which would end the next connection as well.
   */
  disconnected(tooLarge = false): Turn["failed"] {
    const failed: Turn["failed"] = [];
    if (tooLarge) failed.push(...this.#failLargest());
    for (const lane of this.#lanes.values()) {
      const [item] = lane.items;
      if (lane.onItsWay && item && !item.scope) failed.push(this.#fail(lane, item, inDoubt()));
      lane.onItsWay = false;
      lane.notBefore = 0;
    }
    return failed;
  }

  #failLargest(): Turn["failed"] {
    let largest: [Lane, Item] | undefined;
    for (const lane of this.#lanes.values()) {
      const [item] = lane.items;
      if (item && lane.onItsWay && item.bytes >= (largest?.[1].bytes ?? 0)) largest = [lane, item];
    }
    if (!largest) return [];
    largest[0].onItsWay = false;
    return [
      this.#fail(
        ...largest,
        new SluiceError("message_too_large", "the gateway takes no message so large; publish less at once"),
      ),
    ];
  }

  #next(lane: Lane, now: number, gate: Gate, failed: Turn["failed"]): Item | undefined {
    for (let item = lane.items[0]; item; item = lane.items[0]) {
      const open = lane.notBefore <= now ? gate(item.room) : undefined;
      if (!open) return undefined;
      if (item.sent !== undefined && !isFoundOut(item.scope, open.scope)) {
        failed.push(this.#fail(lane, item, inDoubt()));
        continue;
      }
      item.sent ??= now;
      if (open.scope) item.scope = open.scope;
      lane.onItsWay = true;
      return item;
    }
    return undefined;
  }

  #overdue(now: number): Turn["failed"] {
    const failed: Turn["failed"] = [];
    for (const lane of this.#lanes.values()) {
      for (const item of [...lane.items]) {
        if (this.#until(item) > now) continue;
        if (item === lane.items[0]) lane.onItsWay = false;
        failed.push(this.#fail(lane, item, item.sent === undefined ? expired() : inDoubt()));
      }
    }
    return failed;
  }

  #until(item: Item): number {
    return item.sent === undefined ? item.at + this.limits.age : item.sent + FOUND_OUT;
  }

  #fail(lane: Lane, item: Item, error: SluiceError): Turn["failed"][number] {
    this.#remove(lane, item);
    return { item, error };
  }

  #remove(lane: Lane, item: Item): void {
    lane.items.splice(lane.items.indexOf(item), 1);
    this.#items -= 1;
    this.#bytes -= item.bytes;
    if (lane.items.length === 0 && !lane.notBefore) this.#lanes.delete(item.room);
  }
}

/** Whether what was sent within one scope is found out to be a repetition in the other. */
function isFoundOut(sent: Scope | undefined, now: Scope | undefined): boolean {
  if (!sent || !now || sent.publisher !== now.publisher) return false;
  return sent.epoch === undefined || now.epoch === undefined || sent.epoch === now.epoch;
}

const inDoubt = () =>
  new SluiceError(
    "in_doubt",
    "it was sent, and no answer came; look in the room's history whether it is there before you publish it again",
  );
const expired = () =>
  new SluiceError("expired", "it could not be sent before its age limit; publish it again if it is still of use");
