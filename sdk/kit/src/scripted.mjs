import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { Inbox } from "./inbox.mjs";

/** A gateway that does what a scenario says: it accepts connections, and everything else is a step. */
export class Scripted {
  #server = createServer();
  #sockets = new WebSocketServer({ noServer: true });
  #refusal;
  /** The connection that steps are about: the last. */
  #socket;
  #silent = false;
  opened = new Inbox("the client, by connecting,");
  got = new Inbox("the client, to the gateway,");

  static async start() {
    const scripted = new Scripted();
    scripted.#server.on("upgrade", (request, socket, head) => scripted.#upgrade(request, socket, head));
    await new Promise((done) => scripted.#server.listen(0, "127.0.0.1", done));
    scripted.url = `ws://127.0.0.1:${scripted.#server.address().port}/ws`;
    return scripted;
  }

  send(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  close(code, reason = "") {
    this.#socket.close(code, reason);
  }

  /** The network breaks: the TCP connection is reset. */
  cut() {
    this.#socket._socket.resetAndDestroy();
  }

  /** Nothing passes any more, and nothing ends: what a sleeping machine finds when it wakes. */
  silence() {
    this.#silent = true;
    this.#socket._socket.pause();
  }

  /** Answers the connections to come by this HTTP status. */
  refuse(refusal) {
    this.#refusal = refusal;
  }

  /** Takes connections again. */
  accept() {
    this.#refusal = undefined;
    this.#silent = false;
  }

  /** Cuts all connections at once. */
  cutAll() {
    for (const socket of this.#sockets.clients) socket._socket.resetAndDestroy();
  }

  end() {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #upgrade(request, socket, head) {
    const at = Date.now();
    if (this.#refusal) {
      const { status, retryAfter } = this.#refusal;
      socket.end(`HTTP/1.1 ${status} Refused\r\nContent-Length: 0\r\n${retryAfter === undefined ? "" : `Retry-After: ${retryAfter}\r\n`}\r\n`);
      return this.opened.add({ at, refused: status });
    }
    this.#sockets.handleUpgrade(request, socket, head, (opened) => {
      this.#socket = opened;
      opened.on("message", (text) => this.got.add(JSON.parse(text)));
      opened.on("error", () => {});
      opened.on("close", (code) => this.got.add({ closed: code }));
      this.opened.add({ at, refused: null, protocol: opened.protocol });
    });
  }
}
