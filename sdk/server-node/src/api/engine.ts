import { EventEmitter } from "node:events";
import type { HttpMiddleware } from "./request.js";

/** Events of Socket.IO's engine that happen in the gateway, with what there is instead. */
const AT_THE_GATEWAY: Record<string, string> = {
  headers: "Headers of answers are the gateway's: set them by spec.origins, or at your ingress.",
  initial_headers: "Headers of answers are the gateway's: set them by spec.origins, or at your ingress.",
  connection_error: "Connections that fail are the gateway's: see its log, and the metrics that begin with sluice_.",
  drain: "What waits for a client is the gateway's: use `socket.volatile`, or acknowledgements.",
};

/** What stands for Socket.IO's engine, which is in the gateways. It emits `connection` for each connection of a client. */
export class Engine extends EventEmitter {
  readonly middlewares: HttpMiddleware[] = [];

  constructor(private readonly connections: ReadonlyMap<string, unknown>) {
    super();
  }

  /** How many connections have a session that is attached to this instance. */
  get clientsCount(): number {
    return this.connections.size;
  }

  /**
   * Adds a middleware of HTTP servers. It runs once for each connection, on what the gateway tells of its request, before
   * the middlewares of the first namespace: it may read and write the request, and refuse the client; it cannot answer.
   */
  use(middleware: HttpMiddleware): this {
    this.middlewares.push(middleware);
    return this;
  }

  override on(name: string | symbol, listener: (...args: any[]) => void): this {
    const instead = AT_THE_GATEWAY[String(name)];
    if (instead) throw new Error(`io.engine does not emit "${String(name)}". ${instead}`);
    return super.on(name, listener);
  }
}
