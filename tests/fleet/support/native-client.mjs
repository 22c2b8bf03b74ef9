import { setTimeout as pause } from "node:timers/promises";
import WebSocket from "ws";
import { SIGNING_KEY } from "../../client/support/documents.mjs";
import { sign } from "../../client/support/tokens.mjs";
import { within } from "../../client/support/wait.mjs";
import { stockDelay } from "./backoff.mjs";
import { Ledger } from "./ledger.mjs";

/** How long an answer may take; longer than a gateway holds it, which is 12 s where it waits for a session. */
const ANSWER = 20_000;
/** Between two tries of what was refused. */
const AGAIN = 200;
/** How long the stock Socket.IO client waits for a connection. */
const CONNECT = 20_000;

/**
 * A client of the plain protocol as its documentation describes one: it comes back by itself, at
 * the stock Socket.IO client's pace, asks for its session, and else for what it missed in each room.
 */
export class NativeClient {
  #url;
  #socket;
  #closing = false;
  /** Whether all joins of its session were answered: what is recovered of another one lacks rooms. */
  #joined = false;
  #attempt = 0;
  #requests = 0;
  #answers = new Map();
  #session = {};
  #inside;
  /** Whether there is a session on the connection. */
  #connected = false;

  /** Begins to connect; `entered` resolves when it is in its rooms for the first time. */
  constructor({ wsUrl, name, rooms }) {
    this.#url = wsUrl;
    this.ledger = new Ledger(name, "native", rooms);
    this.entered = new Promise((resolve) => { this.#inside = resolve; });
    this.#open();
  }

  /** Publishes and resolves to the answer; rejects if there is none for `patience` ms. */
  async publish({ room, event, data, id }, patience) {
    if (!this.#connected) {
      await pause(AGAIN);
      throw new Error("there is no session");
    }
    return this.#ask(this.#socket, { op: "publish", room, event, data, messageId: id }, patience);
  }

  close() {
    this.#closing = true;
    this.#socket.close();
  }

  #open() {
    const socket = new WebSocket(this.#url, ["sluice.v1.json"], { handshakeTimeout: CONNECT });
    this.#socket = socket;
    socket.on("error", (error) => this.ledger.refused(error.message));
    socket.on("message", (text) => this.#receive(JSON.parse(text)));
    socket.on("close", (code, reason) => this.#closed(code, reason));
    socket.once("open", () => {
      this.#attempt = 0;
      this.#enter(socket).catch((error) => {
        this.ledger.refused(error.message);
        socket.terminate();
      });
    });
  }

  async #closed(code, reason) {
    for (const { reject } of this.#answers.values()) reject(new Error("the connection was lost"));
    this.#answers.clear();
    if (this.#closing) return;
    if (this.#connected) this.ledger.lost(`${code} ${reason}`);
    this.#connected = false;
    if (code >= 4500) return this.ledger.gone(`${code} ${reason}`);
    await pause(stockDelay(this.#attempt));
    this.#attempt += 1;
    if (!this.#closing) this.#open();
  }

  async #enter(socket) {
    const token = sign(SIGNING_KEY, { sub: this.ledger.name });
    const hello = await this.#ask(socket, { op: "connect", token, ...this.#session });
    if (!hello.ok) return this.ledger.refused(hello.error.code);
    this.#connected = true;
    this.#listen(socket, hello.pingInterval);
    this.#joined &&= hello.recovered;
    if (!hello.recovered) this.#session = { pid: hello.pid };
    if (!this.#joined) await Promise.all(this.ledger.rooms.map((room) => this.#join(socket, room)));
    this.#joined = true;
    this.ledger.back(hello.recovered);
    return this.#inside();
  }

  /** Gives a connection up that says nothing for two heartbeats: its gateway, or the way to it, has died. */
  #listen(socket, pingInterval) {
    let heard = Date.now();
    for (const event of ["ping", "message"]) socket.on(event, () => { heard = Date.now(); });
    const timer = setInterval(() => { if (Date.now() - heard > 2 * pingInterval) socket.terminate(); }, pingInterval / 2);
    socket.once("close", () => clearInterval(timer));
  }

  async #join(socket, room) {
    for (;;) {
      const answer = await this.#ask(socket, { op: "join", room, ...this.ledger.position(room) });
      if (answer.ok) return this.ledger.joined(room, answer);
      this.ledger.refused(answer.error.code);
      await pause(AGAIN);
    }
  }

  #ask(socket, operation, patience = ANSWER) {
    if (socket.readyState !== WebSocket.OPEN) return Promise.reject(new Error("there is no connection"));
    this.#requests += 1;
    const id = this.#requests;
    const answer = new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
    socket.send(JSON.stringify({ id, ...operation }));
    return within(`the answer to "${operation.op}"`, answer, patience);
  }

  #receive(frame) {
    if (frame.offset !== undefined && frame.event) this.#session.offset = frame.offset;
    if (frame.event === "message") return this.ledger.message(frame.data, frame.meta);
    const answer = this.#answers.get(frame.id);
    this.#answers.delete(frame.id);
    return answer?.resolve(frame);
  }
}
