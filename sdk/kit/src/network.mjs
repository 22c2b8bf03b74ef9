import { connect, createServer } from "node:net";

/** A stretch of network to one port of this machine, which can be silent, break, and be slow. */
export class Network {
  #server;
  #pairs = new Set();
  #silent = false;
  #delay = 0;

  static async to(port) {
    const network = new Network();
    network.#server = createServer({ pauseOnConnect: true }, (near) => network.#through(near, port));
    await new Promise((done) => network.#server.listen(0, "127.0.0.1", done));
    network.url = `ws://127.0.0.1:${network.#server.address().port}/ws`;
    return network;
  }

  /** Nothing passes, and nothing ends: what was sent meanwhile arrives when it is mended. */
  cut() {
    this.#silent = true;
    for (const sockets of this.#pairs) for (const socket of sockets) socket.pause();
  }

  /** All connections break. */
  reset() {
    for (const [near, far] of this.#pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
  }

  mend() {
    this.#silent = false;
    for (const sockets of this.#pairs) for (const socket of sockets) socket.resume();
  }

  /** What is sent from now on takes so many milliseconds more, each way. */
  delay(ms) {
    this.#delay = ms;
  }

  end() {
    this.reset();
    this.#server.close();
  }

  #through(near, port) {
    const far = connect(port, "127.0.0.1");
    const pair = [near, far];
    this.#pairs.add(pair);
    this.#carry(near, far);
    this.#carry(far, near);
    const over = () => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on("error", over).on("close", over);
    if (this.#silent) far.pause();
    else near.resume();
  }

  #carry(from, to) {
    from.on("data", (bytes) => {
      if (!this.#delay) return void to.write(bytes);
      setTimeout(() => to.destroyed || to.write(bytes), this.#delay);
    });
  }
}
