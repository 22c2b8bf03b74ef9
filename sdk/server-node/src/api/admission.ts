import type { ConnectRequest } from "../core/connect.js";
import type { Core } from "../core/core.js";
import type { Gateway } from "../link/gateway.js";
import { Asking } from "./asking.js";
import { Client, connectionKey } from "./client.js";
import { Engine } from "./engine.js";
import { handshakeOf } from "./handshake.js";
import type { ExtendedError } from "./middleware.js";
import type { Namespaces } from "./namespaces.js";
import type { ServerOptions } from "./options.js";
import { runHttpMiddlewares } from "./request.js";
import type { Socket } from "./socket.js";

type AnySocket = Socket<any, any, any, any>;

/** Lets clients in: first what the application says of their connection, once, then what it says of the namespace. */
export class Admission {
  readonly engine: Engine;
  private readonly clients = new Map<string, Client<AnySocket>>();

  constructor(
    private readonly namespaces: Namespaces<any, any, any, any>,
    private readonly options: Partial<ServerOptions>,
  ) {
    this.engine = new Engine(this.clients);
  }

  /** A client asks for a namespace. */
  async admit(core: Core, gateway: Gateway, handle: string, request: ConnectRequest): Promise<void> {
    const asking = new Asking();
    core.attached.add(gateway, handle, asking);
    const client = this.clientOf(gateway, request);
    client.asking++;
    const refusal = await client.admitted;
    const namespace = refusal || asking.over ? undefined : await this.namespaces.find(request.namespace, request.auth);
    client.asking--;
    if (namespace && !asking.over) namespace.connect(client, { gateway, handle }, request);
    else if (!asking.over) refuse(core, gateway, handle, refusal ?? new Error("Invalid namespace"));
    client.forgetUnused("transport close");
  }

  /** Closes all connections. */
  closeAll(reason: string): void {
    for (const client of [...this.clients.values()]) close(client, reason);
  }

  private clientOf(gateway: Gateway, request: ConnectRequest): Client<AnySocket> {
    const key = connectionKey(gateway, request.connection);
    const known = this.clients.get(key);
    if (known) return known;
    const client = new Client<AnySocket>(key, handshakeOf(request), request.transport, {
      closeAll: (closed) => close(closed, "server namespace disconnect"),
      forget: (gone) => this.clients.delete(gone.key),
    });
    this.clients.set(key, client);
    client.admitted = this.connectionRefusal(client);
    return client;
  }

  /** Why the connection is refused, if it is. */
  private async connectionRefusal(client: Client<AnySocket>): Promise<unknown> {
    const { middlewares } = this.engine;
    const refusal = middlewares.length > 0 && (await runHttpMiddlewares(middlewares, client.request));
    if (refusal) return refusal;
    const { allowRequest } = this.options;
    const denial =
      allowRequest &&
      (await new Promise<string | undefined>((resolve) => {
        allowRequest(client.request, (error, success) => resolve(success ? undefined : (error ?? "Forbidden")));
      }));
    if (denial) return new Error(denial);
    if (this.engine.listenerCount("connection") > 0) this.engine.emit("connection", client.conn);
    return undefined;
  }
}

function refuse(core: Core, gateway: Gateway, handle: string, error: unknown): void {
  const { message = String(error), data } = error as ExtendedError;
  core.attached.remove(gateway, handle);
  core.say(gateway, "refuse", [handle], { text: JSON.stringify({ message, data }) });
}

/** Closes a connection, and ends all sessions that it has. */
function close(client: Client<AnySocket>, reason: string): void {
  const sockets = [...client.sockets.values()];
  sockets[0]?.closeConnection();
  for (const socket of sockets) socket.ended(reason);
}
