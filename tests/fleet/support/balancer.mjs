import { createServer as createHttpServer, request } from "node:http";
import { connect, createServer } from "node:net";
import { splice } from "./splice.mjs";

/**
 * What stands in front of a fleet: new connections go to its backends in turn, whoever they come
 * from. Taking a backend out leaves its connections alone, as a Kubernetes Service does; one that
 * does not answer is not skipped, but wastes its turn. Backends are ports of this machine.
 */
class RoundRobin {
  #backends = [];
  #turn = 0;
  /** How many connections, or requests, each backend was given so far. */
  given = new Map();

  get port() {
    return this.server.address().port;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get wsUrl() {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  /** From now on, new connections go to `backends` and to no others. */
  serve(backends) {
    this.#backends = [...backends];
  }

  /** The backend whose turn it is; undefined if there is none. */
  next() {
    const backend = this.#backends[this.#turn % this.#backends.length];
    this.#turn += 1;
    if (backend) this.given.set(backend, (this.given.get(backend) ?? 0) + 1);
    return backend;
  }

  async listen() {
    await new Promise((done) => this.server.listen(0, "127.0.0.1", done));
    return this;
  }
}

/** Balances TCP connections. */
export class Balancer extends RoundRobin {
  #open = new Set();

  static start() {
    const balancer = new Balancer();
    balancer.server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => balancer.#accept(near));
    return balancer.listen();
  }

  close() {
    this.server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #accept(near) {
    near.on("error", () => near.destroy());
    const backend = this.next();
    if (!backend) return near.resetAndDestroy();
    const far = connect({ port: backend, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    near.setNoDelay(true);
    far.once("error", () => near.resetAndDestroy());
    far.once("connect", () => splice(near, far));
    for (const socket of [near, far]) {
      this.#open.add(socket);
      socket.once("close", () => this.#open.delete(socket));
    }
    return near.once("close", () => { if (far.connecting) far.destroy(); });
  }
}

/** Balances HTTP requests: each goes to the next backend, also those of one connection. */
export class HttpBalancer extends RoundRobin {
  static start() {
    const balancer = new HttpBalancer();
    balancer.server = createHttpServer((asked, answer) => balancer.#pass(asked, answer));
    balancer.server.on("upgrade", (asked, near, head) => balancer.#upgrade(asked, near, head));
    return balancer.listen();
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }

  #ask(asked, failed) {
    const backend = this.next();
    if (!backend) return failed();
    const { method, url, headers } = asked;
    const onward = request({ port: backend, host: "127.0.0.1", method, path: url, headers, agent: false });
    return onward.on("error", failed);
  }

  #pass(asked, answer) {
    const failed = () => {
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502).end();
    };
    const onward = this.#ask(asked, failed);
    if (!onward) return;
    onward.on("response", (response) => {
      answer.writeHead(response.statusCode, response.headers);
      response.on("error", failed).pipe(answer);
    });
    answer.on("close", () => onward.destroy());
    asked.pipe(onward);
  }

  #upgrade(asked, near, head) {
    near.on("error", () => near.destroy());
    const onward = this.#ask(asked, () => near.destroy());
    if (!onward) return;
    onward.on("upgrade", (response, far, rest) => {
      near.write(headOf(response));
      near.write(rest);
      far.write(head);
      splice(near, far);
    });
    onward.on("response", (response) => {
      near.write(headOf(response));
      response.pipe(near);
    });
    onward.end();
  }
}

/** An answer's head as it came. */
function headOf({ statusCode, statusMessage, rawHeaders }) {
  const lines = rawHeaders.flatMap((name, n) => (n % 2 === 0 ? [`${name}: ${rawHeaders[n + 1]}`] : []));
  return `${[`HTTP/1.1 ${statusCode} ${statusMessage}`, ...lines].join("\r\n")}\r\n\r\n`;
}
