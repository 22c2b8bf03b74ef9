import { connect, createServer } from "node:net";
import { join, part, splice } from "./splice.mjs";

/**
 * A stretch of network to one port of this machine, which can be cut and mended.
 *
 * While it is cut it swallows everything, as a partition does: connections stay open and nothing
 * passes, new ones are not answered. What was sent meanwhile arrives when it is mended, as TCP
 * would send it again.
 */
export class Link {
  #target;
  #server;
  #pairs = new Set();
  #waiting = new Set();
  #cut = false;

  /** Opens a way to `target`, the number of a port; its own is `port`. */
  static async open(target) {
    const link = new Link();
    link.#target = target;
    link.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => link.#accept(near));
    await new Promise((done) => link.#server.listen(0, "127.0.0.1", done));
    link.port = link.#server.address().port;
    return link;
  }

  cut() {
    this.#cut = true;
    for (const pair of this.#pairs) part(...pair);
  }

  /** Breaks all connections, and is cut. */
  sever() {
    this.cut();
    for (const socket of [...this.#pairs].flat()) socket.resetAndDestroy();
  }

  mend() {
    this.#cut = false;
    for (const pair of this.#pairs) join(...pair);
    for (const near of this.#waiting) this.#through(near);
    this.#waiting.clear();
  }

  close() {
    this.#server.close();
    for (const socket of [...this.#waiting, ...[...this.#pairs].flat()]) socket.destroy();
  }

  #accept(near) {
    near.on("error", () => near.destroy());
    if (!this.#cut) return this.#through(near);
    this.#waiting.add(near);
    return near.once("close", () => this.#waiting.delete(near));
  }

  #through(near) {
    const far = connect({ port: this.#target, host: "127.0.0.1", allowHalfOpen: true });
    const pair = [near, far];
    far.once("error", () => near.resetAndDestroy());
    far.once("connect", () => {
      this.#pairs.add(pair);
      splice(near, far);
      if (this.#cut) part(near, far);
    });
    for (const socket of pair) socket.once("close", () => this.#pairs.delete(pair));
  }
}
