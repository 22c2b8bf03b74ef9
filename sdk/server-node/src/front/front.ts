import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ClientBundle } from "./client-bundle.js";
import { forwardRequest, forwardUpgrade } from "./proxy.js";

export interface FrontOptions {
  /** Where requests under `path` are handed on to, once that is known. */
  readonly gateway: (() => string | Promise<string>) | undefined;
  readonly path: string;
  readonly serveClient: boolean;
}

/** The path of Socket.IO at gateways. */
const GATEWAY_PATH = "/socket.io/";

/**
 * Hands what comes under a path of a HTTP server on to a gateway, so that a program that serves its own pages needs one
 * address on one's own machine.
 */
export class Front {
  private readonly bundle: ClientBundle | undefined;
  private readonly path: string;
  private readonly upgraded = new Set<Duplex>();

  constructor(
    readonly http: HttpServer,
    private readonly options: FrontOptions,
  ) {
    this.path = options.path.replace(/\/$/, "");
    this.bundle = options.serveClient ? new ClientBundle() : undefined;
    const others = http.listeners("request");
    http.removeAllListeners("request");
    http.on("request", (request, response) => {
      if (this.isOurs(request)) this.serve(request, response);
      else for (const other of others) other.call(http, request, response);
      if (others.length === 0 && !this.isOurs(request)) response.writeHead(404).end();
    });
    http.on("upgrade", (request, socket, head) => {
      if (this.isOurs(request)) this.upgrade(request, socket, head);
      else if (http.listenerCount("upgrade") === 1) socket.destroy();
    });
  }

  /** A front on a HTTP server of its own. */
  static on(port: number, options: FrontOptions): Front {
    const front = new Front(createServer(), options);
    front.http.listen(port);
    return front;
  }

  /** Ends the connections of clients, and the HTTP server. */
  close(then?: (error?: Error) => void): void {
    for (const socket of this.upgraded) socket.destroy();
    this.http.close(then);
    this.http.closeAllConnections?.();
  }

  private isOurs({ url = "" }: IncomingMessage): boolean {
    return url === this.path || url.startsWith(`${this.path}/`) || url.startsWith(`${this.path}?`);
  }

  private onward({ url = "" }: IncomingMessage): string {
    return GATEWAY_PATH + url.slice(this.path.length).replace(/^\//, "");
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.bundle?.serve(request, response)) return;
    const gateway = await this.gateway();
    if (gateway) return forwardRequest(gateway, this.onward(request), request, response);
    response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
    response.end(
      "Clients connect to the gateways, not to this process. To have them here, give the option gateway (or SLUICE_GATEWAY).\n",
    );
  }

  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.upgraded.add(socket);
    socket.on("close", () => this.upgraded.delete(socket));
    const gateway = await this.gateway();
    if (gateway) forwardUpgrade(gateway, this.onward(request), request, socket, head);
    else socket.destroy();
  }

  private async gateway(): Promise<URL | undefined> {
    const address = await this.options.gateway?.();
    return address ? new URL(address) : undefined;
  }
}
