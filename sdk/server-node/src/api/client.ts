import { EventEmitter } from "node:events";
import type { Gateway } from "../link/gateway.js";
import type { Handshake } from "./handshake.js";
import { ClientRequest } from "./request.js";

/** The sockets of one connection of a client: one for each namespace that it is in. */
export interface ClientSocket {
  readonly nsp: { readonly name: string };
  ended(reason: string): void;
}

/** A client's connection, which is at a gateway: what is known of it here. It emits `close` with a reason, and `upgrade`. */
export class Connection extends EventEmitter {
  readonly protocol = 4;
  readyState: "open" | "closed" = "open";

  constructor(
    readonly id: string,
    readonly transport: { name: string },
    private readonly client: { readonly request: ClientRequest },
    private readonly end: () => void,
  ) {
    super();
  }

  get request(): ClientRequest {
    return this.client.request;
  }

  get remoteAddress(): string {
    return this.request.socket.remoteAddress;
  }

  /** Closes the connection, and with it all namespaces that the client is in. */
  close(): this {
    this.end();
    return this;
  }

  /** The client goes on over another transport. */
  upgraded(name: string): void {
    this.transport.name = name;
    this.emit("upgrade", this.transport);
  }

  closed(reason: string): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.emit("close", reason);
  }
}

/** What the namespaces of one connection share. What programs seldom look at is made when they do. */
export class Client<S extends ClientSocket = ClientSocket> {
  private connection: Connection | undefined;
  private asked: ClientRequest | undefined;
  readonly sockets = new Map<string, S>();
  /** What the middlewares of the connection end with: they run once for all its namespaces. */
  admitted: Promise<unknown> | undefined;
  /** How many namespaces it asks for that were not looked for yet. */
  asking = 0;

  constructor(
    readonly key: string,
    private readonly handshake: Handshake,
    private readonly transport: string,
    private readonly port: { closeAll(client: Client<S>): void; forget(client: Client<S>): void },
  ) {}

  get conn(): Connection {
    this.connection ??= new Connection(this.key, { name: this.transport }, this, () => this.port.closeAll(this));
    return this.connection;
  }

  get request(): ClientRequest {
    this.asked ??= new ClientRequest(this.handshake);
    return this.asked;
  }

  get id(): string {
    return this.key;
  }

  add(socket: S): void {
    this.sockets.set(socket.nsp.name, socket);
  }

  /** A socket has ended. */
  remove(socket: S, reason: string): void {
    if (this.sockets.get(socket.nsp.name) !== socket) return;
    this.sockets.delete(socket.nsp.name);
    this.forgetUnused(reason);
  }

  /** With its last socket, nothing is known of the connection any more. */
  forgetUnused(reason: string): void {
    if (this.sockets.size > 0 || this.asking > 0) return;
    this.port.forget(this);
    this.connection?.closed(reason);
  }
}

/** The name of a connection here: gateways number theirs each for itself. */
export function connectionKey(gateway: Gateway, connection: string): string {
  return `${gateway.id}-${connection}`;
}
