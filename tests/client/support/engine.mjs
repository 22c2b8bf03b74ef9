import { after } from "node:test";
import WebSocket from "ws";
import { freePorts } from "./ports.mjs";
import { Program, binary } from "./process.mjs";
import { until, within } from "./wait.mjs";

/** How packets of one polling body are separated (Engine.IO protocol 4, "Payload encoding"). */
export const SEPARATOR = "\x1e";

/** One of the example servers, seen as bytes: HTTP requests and WebSocket messages. */
export class EngineServer {
  #closers = [];

  /** Starts the example for the tests of one file; times in milliseconds, `maxPayload` in bytes. */
  static async use(name, path, { pingInterval = 25_000, pingTimeout = 20_000, maxPayload = 1_000_000 } = {}) {
    const server = new EngineServer();
    const [port] = await freePorts(1);
    server.url = `http://127.0.0.1:${port}`;
    server.base = `127.0.0.1:${port}${path}?EIO=4`;
    server.program = new Program(binary(name), [
      "--port", port, "--ping-interval", pingInterval, "--ping-timeout", pingTimeout, "--max-payload", maxPayload,
    ].map(String));
    after(() => server.stop());
    await until(`${name} to listen`, async () => {
      if (!server.program.running) throw new Error(`${name} ended:\n${server.program.output}`);
      return server.get("").then(() => true, () => false);
    });
    return server;
  }

  /** A request with any query, for example `&transport=polling`; the query starts with `EIO=4`. */
  request(query, options = {}) {
    return fetch(`http://${this.base}${query}`, options);
  }

  get(query, options) {
    return this.request(query, options);
  }

  /** Opens a polling session and resolves to it. */
  async poller() {
    const response = await this.get("&transport=polling");
    return new Poller(this, JSON.parse((await response.text()).slice(1)));
  }

  /** Opens a WebSocket, with a session of its own or for that of `sid`; nothing is awaited. */
  webSocket(sid) {
    const url = `ws://${this.base}&transport=websocket${sid ? `&sid=${sid}` : ""}`;
    const line = new Line(new WebSocket(url));
    this.#closers.push(() => line.socket.terminate());
    return line;
  }

  /** A WebSocket session whose handshake is read; it is in `opened`. */
  async session() {
    const line = this.webSocket();
    line.opened = JSON.parse((await line.read()).slice(1));
    return line;
  }

  async stop() {
    for (const close of this.#closers) close();
    await this.program.stop();
  }
}

/** A long-polling session. */
class Poller {
  constructor(server, opened) {
    this.server = server;
    this.opened = opened;
    this.sid = opened.sid;
    this.query = `&transport=polling&sid=${opened.sid}`;
  }

  poll(options) {
    return this.server.get(this.query, options);
  }

  post(body) {
    return this.server.request(this.query, { method: "POST", body });
  }

  /** Polls once and resolves to the packets in the answer. */
  async packets() {
    const response = await this.poll();
    if (response.status !== 200) throw new Error(`the poll was answered with ${response.status}`);
    return (await response.text()).split(SEPARATOR);
  }
}

/** A WebSocket that is read message by message. */
class Line {
  #waiting = [];
  #readers = [];

  constructor(socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", (code) => resolve(code)));
    socket.on("error", () => {});
    socket.on("message", (data, binary) => this.#arrived(binary ? data : String(data)));
  }

  /** Resolves to the next message: a string, or a Buffer for a binary one. */
  read() {
    if (this.#waiting.length > 0) return Promise.resolve(this.#waiting.shift());
    return within("a message", new Promise((resolve) => this.#readers.push(resolve)));
  }

  /** Resolves to the next `count` messages. */
  async reads(count) {
    const messages = [];
    while (messages.length < count) messages.push(await this.read());
    return messages;
  }

  send(...messages) {
    for (const message of messages) this.socket.send(message);
  }

  /** Resolves when the WebSocket is open. */
  open() {
    return within("the WebSocket to open", new Promise((resolve) => this.socket.once("open", resolve)));
  }

  /** Resolves to the close code once the server has closed, or refused, the WebSocket. */
  end() {
    return within("the close", this.closed);
  }

  #arrived(message) {
    const reader = this.#readers.shift();
    if (reader) reader(message);
    else this.#waiting.push(message);
  }
}
