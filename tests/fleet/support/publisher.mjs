import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { API_KEY } from "../../client/support/documents.mjs";

/** How long an answer is waited for: a gateway may hold a message for five seconds. */
const ANSWER = 7000;
/** Before a message that was refused, or not answered, is sent again. */
const AGAIN = 250;
/** What an ending publisher gives its last message. */
const LAST = 30_000;
const PADDING = "x".repeat(64);

/**
 * Publishes to its rooms in turn at a fixed rate, and numbers the messages of each room. Each is
 * sent under the same id until it is acknowledged, as the documentation tells users, and the next
 * one only then.
 */
export class Publisher {
  #numbers = new Map();
  #turn = 0;
  #publishing;

  /** `send(message, patience)` publishes `{room, event, data, id}` and resolves to the answer. */
  constructor({ name, rooms, rate, send }) {
    Object.assign(this, { name, rooms, period: 1000 / rate, send });
    this.begin();
  }

  begin() {
    /** `[room, n, offset, at]` */
    this.acked = [];
    /** How often each code, or failure, came in place of an acknowledgement. */
    this.refused = {};
    /** What was given up without an acknowledgement: it may have been delivered. */
    this.open = [];
    /** The longest that an acknowledgement took, all tries together, in milliseconds. */
    this.longest = 0;
  }

  start() {
    this.#publishing ??= { over: false };
    this.#publishing.done ??= this.#publish(this.#publishing);
  }

  /** Resolves when the message that is under way is acknowledged. */
  async stop() {
    const publishing = this.#publishing;
    if (!publishing) return;
    publishing.over = Date.now();
    await publishing.done;
    this.#publishing = undefined;
  }

  record() {
    const { name, acked, refused, open, longest } = this;
    return { name, acked, refused, open, longest };
  }

  async #publish(publishing) {
    for (let due = Date.now() + Math.random() * this.period; !publishing.over; due = Math.max(due + this.period, Date.now())) {
      await pause(due - Date.now());
      await this.#next(publishing);
    }
  }

  async #next(publishing) {
    const room = this.rooms[this.#turn++ % this.rooms.length];
    const n = (this.#numbers.get(room) ?? 0) + 1;
    this.#numbers.set(room, n);
    const message = { room, event: "message", data: { by: this.name, n, padding: PADDING }, id: randomUUID() };
    const began = Date.now();
    const offset = await this.#acknowledged(message, publishing);
    this.longest = Math.max(this.longest, Date.now() - began);
    if (offset === undefined) this.open.push([room, n]);
    else this.acked.push([room, n, offset, Date.now()]);
  }

  /** Sends a message until it is acknowledged; undefined if it was given up at the end. */
  async #acknowledged(message, publishing) {
    while (!publishing.over || Date.now() < publishing.over + LAST) {
      const answer = await this.send(message, ANSWER).catch((error) => ({ error: { code: error.message } }));
      if (answer.ok) return answer.offset;
      this.refused[answer.error.code] = (this.refused[answer.error.code] ?? 0) + 1;
      await pause(AGAIN);
    }
    return undefined;
  }
}

/** Publishes by the server API at `apiUrl`. */
export function byServerApi(apiUrl) {
  return async ({ room, event, data, id }, patience) => {
    const answer = await fetch(`${apiUrl}/v1/rooms/${encodeURIComponent(room)}/messages`, {
      method: "POST",
      headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json", "idempotency-key": id },
      body: JSON.stringify({ event, data }),
      signal: AbortSignal.timeout(patience),
    });
    return answer.json();
  };
}
