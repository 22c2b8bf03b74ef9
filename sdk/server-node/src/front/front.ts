import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { ClientBundle } from "./client-bundle.js";
import { allows, type CorsOptions, corsHeaders } from "./cors.js";
import { forwardRequest, forwardUpgrade } from "./proxy.js";

export interface FrontOptions {
  /** Where requests under `path` are handed on to, once that is known. */
  readonly gateway: (() => string | Promise<string>) | undefined;
  readonly path: string;
  readonly serveClient: boolean;
  /** Which pages of other origins may ask; what the gateway says of that is left out then. */
  readonly cors?: CorsOptions | undefined;
  /** Whether a connection may begin with this request. */
  readonly allowRequest?:
    | ((request: IncomingMessage, then: (error: unknown, success: boolean) => void) => void)
    | undefined;
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

  /** The path at the gateway: whatever comes behind the path here, as at Socket.IO's engine. */
  private onward({ url = "" }: IncomingMessage): string {
    const query = url.indexOf("?");
    return query < 0 ? GATEWAY_PATH : GATEWAY_PATH + url.slice(query);
  }

  /** Whether a request that would begin a connection may not. */
  private isForbidden(request: IncomingMessage): Promise<boolean> {
    const { allowRequest } = this.options;
    if (!allowRequest || /[?&]sid=/.test(request.url ?? "")) return Promise.resolve(false);
    return new Promise((resolve) => allowRequest(request, (error, success) => resolve(Boolean(error) || !success)));
  }

  /** Says what pages of other origins may do; `true` where that was all. */
  private answersCors(request: IncomingMessage, response: ServerResponse): boolean {
    const { cors } = this.options;
    if (!cors) return false;
    for (const [name, value] of Object.entries(corsHeaders(cors, request))) response.setHeader(name, value);
    this.hideOrigin(request);
    if (request.method === "OPTIONS") response.writeHead(204).end();
    return request.method === "OPTIONS";
  }

  /** Where this process allows an origin, the gateway need not. */
  private hideOrigin(request: IncomingMessage): void {
    const { cors } = this.options;
    const { origin } = request.headers;
    if (!cors || origin === undefined || !allows(cors, origin)) return;
    delete request.headers.origin;
    const at = request.rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "origin");
    request.rawHeaders.splice(at, 2);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.answersCors(request, response) || this.bundle?.serve(request, response)) return;
    if (await this.isForbidden(request)) {
      response.writeHead(403, { "content-type": "application/json" }).end('{"code":4,"message":"Forbidden"}');
      return;
    }
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
    if (await this.isForbidden(request)) {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    this.hideOrigin(request);
    const gateway = await this.gateway();
    if (gateway) forwardUpgrade(gateway, this.onward(request), request, socket, head);
    else socket.destroy();
  }

  private async gateway(): Promise<URL | undefined> {
    const address = await this.options.gateway?.();
    return address ? new URL(address) : undefined;
  }
}
