import { setTimeout as pause } from "node:timers/promises";
import { io } from "socket.io-client";
import { SIGNING_KEY } from "../../client/support/documents.mjs";
import { sign } from "../../client/support/tokens.mjs";
import { Ledger } from "./ledger.mjs";

/** How long an answer to `join` may take; longer than a gateway holds it. */
const ANSWER = 10_000;
/** Between two tries of what was refused. */
const AGAIN = 200;

/** A stock Socket.IO client at its default settings, in rooms, that keeps a ledger. */
export class StockClient {
  #socket;
  #closing = false;
  /** Whether all joins of its session were answered: what is recovered of another one lacks rooms. */
  #inside = false;

  /** Begins to connect; `entered` resolves when it is in its rooms for the first time. */
  constructor({ url, name, rooms, transports }) {
    this.ledger = new Ledger(name, transports[0] === "websocket" ? "stock" : "stock from polling", rooms);
    this.#socket = io(url, {
      transports,
      forceNew: true,
      auth: (send) => send({ token: sign(SIGNING_KEY, { sub: name }) }),
    });
    this.entered = new Promise((resolve) => {
      this.#socket.on("connect", () => this.#enter().then((inside) => inside && resolve()));
    });
    this.#socket.on("message", (data, meta) => this.ledger.message(data, meta));
    this.#socket.on("connect_error", (error) => this.ledger.refused(error.data?.code ?? error.message));
    this.#socket.on("disconnect", (reason) => {
      if (this.#closing) return;
      this.ledger.lost(reason);
      if (!this.#socket.active) this.ledger.gone(reason);
    });
  }

  /** Publishes and resolves to the acknowledgement; rejects if there is none for `patience` ms. */
  publish({ room, event, data, id }, patience) {
    return this.#socket.timeout(patience).emitWithAck("publish", room, event, data, { id });
  }

  close() {
    this.#closing = true;
    this.#socket.disconnect();
  }

  /** Whether it got into its rooms, by recovery or by joining them. */
  async #enter() {
    const { id, recovered } = this.#socket;
    this.#inside &&= recovered;
    const inside = this.#inside || (await Promise.all(this.ledger.rooms.map((room) => this.#join(room, id)))).every(Boolean);
    if (inside && this.#on(id)) {
      this.#inside = true;
      this.ledger.back(recovered);
    }
    return inside;
  }

  async #join(room, id) {
    while (this.#on(id)) {
      const answer = await this.#socket.timeout(ANSWER).emitWithAck("join", room, this.ledger.position(room))
        .catch((error) => ({ error: { code: error.message } }));
      if (answer.ok) {
        this.ledger.joined(room, answer);
        return true;
      }
      this.ledger.refused(answer.error.code);
      await pause(AGAIN);
    }
    return false;
  }

  /** Whether the connection is still the one whose session is `id`: nothing is sent on a later one. */
  #on(id) {
    return this.#socket.connected && this.#socket.id === id;
  }
}
