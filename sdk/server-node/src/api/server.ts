import { EventEmitter } from "node:events";
import type { Server as HttpServer } from "node:http";
import { Core } from "../core/core.js";
import type { ListField } from "../core/list.js";
import { TypedEmitter } from "../events/emitter.js";
import type {
  AckOf,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventNamesWithoutAck,
  EventParams,
  EventsMap,
  ParamsBeforeAck,
  ToMany,
  WithTimeout,
} from "../events/types.js";
import { Front, type FrontOptions } from "../front/front.js";
import { Admission } from "./admission.js";
import type { BroadcastOperator, Room } from "./broadcast-operator.js";
import type { Engine } from "./engine.js";
import type { ExtendedError } from "./middleware.js";
import type { Namespace, NamespaceEvents, NamespacePort } from "./namespace.js";
import { Namespaces } from "./namespaces.js";
import { type AdapterOption, type ServerOptions, warnOf } from "./options.js";
import type { NamespaceTest, ParentNamespace } from "./parent-namespace.js";
import type { RemoteSocket } from "./remote-socket.js";
import { ServerSideEmitter } from "./server-side.js";
import { leaveOn, leftAlready } from "./signals.js";
import type { Socket } from "./socket.js";

/** How long the last sessions may take to go to other instances, in ms: handlers have 10 s to answer. */
const LEAVE_WITHIN = 15_000;

/** Socket.IO's server, whose clients are connected to the gateways of a cluster. */
export class Server<
  Listen extends EventsMap = DefaultEventsMap,
  Emit extends EventsMap = Listen,
  ServerSide extends EventsMap = DefaultEventsMap,
  SocketData = any,
> extends TypedEmitter<ServerSide, NamespaceEvents<Listen, Emit, ServerSide, SocketData>> {
  /** The namespace `/`. */
  readonly sockets: Namespace<Listen, Emit, ServerSide, SocketData>;
  readonly engine: Engine;
  readonly opts: Partial<ServerOptions>;
  private core: Core;
  private readonly serverSide: ServerSideEmitter;
  private readonly namespaces: Namespaces<Listen, Emit, ServerSide, SocketData>;
  private readonly admission: Admission;
  private front: Front | undefined;
  private left: Promise<void> | undefined;

  /** With a port or a HTTP server, what comes there under `path` is handed on to `gateway`. */
  constructor(options?: Partial<ServerOptions>);
  constructor(at?: number | HttpServer, options?: Partial<ServerOptions>);
  constructor(at?: number | HttpServer | Partial<ServerOptions>, options?: Partial<ServerOptions>) {
    super();
    const isPlace = typeof at === "number" || at instanceof EventEmitter;
    this.opts = (isPlace ? options : (options ?? (at as Partial<ServerOptions> | undefined))) ?? {};
    warnOf(this.opts, isPlace);
    this.serverSide = new ServerSideEmitter(
      () => this.core.link,
      (namespace, event) => this.namespaces.get(namespace)?.emittedByPeer(event),
    );
    this.core = this.newCore();
    this.namespaces = new Namespaces(this, this.namespacePort(), (namespace) =>
      TypedEmitter.emitOn(this.sockets, "new_namespace", namespace),
    );
    this.sockets = this.namespaces.of("/");
    this.admission = new Admission(this.namespaces, this.opts);
    this.engine = this.admission.engine;
    if (isPlace) this.attach(at as number | HttpServer);
  }

  /** Done once NATS was reached; gateways are heard soon after. */
  get ready(): Promise<void> {
    return this.core.link.ready;
  }

  /** The HTTP server that clients may come to, where there is one. */
  get httpServer(): HttpServer | undefined {
    return this.front?.http;
  }

  /** The namespaces that there are, by their names: what tools for Socket.IO look for. */
  get _nsps(): ReadonlyMap<string, Namespace<Listen, Emit, ServerSide, SocketData>> {
    return this.namespaces.all;
  }

  /** How much was heard that this version does not know, and skipped. */
  get unknownEntries(): number {
    return this.core.unknownEntries;
  }

  /** Hands on what comes to this port or HTTP server. A server that was closed becomes a new instance. */
  attach(at: number | HttpServer, options: Partial<ServerOptions> = {}): this {
    Object.assign(this.opts, options);
    if (this.left) {
      this.left = undefined;
      this.core = this.newCore();
    }
    const { gateway = process.env.SLUICE_GATEWAY, path = "/socket.io", serveClient = true } = this.opts;
    const where = typeof gateway === "string" ? () => gateway : gateway;
    const { cors, allowRequest } = this.opts;
    const front = {
      gateway: where,
      path,
      serveClient,
      cors,
      allowRequest: allowRequest as FrontOptions["allowRequest"],
    };
    this.front = typeof at === "object" ? new Front(at, front) : Front.on(Number(at), front);
    return this;
  }

  /** The same as `attach`. */
  listen(at: number | HttpServer, options?: Partial<ServerOptions>): this {
    return this.attach(at, options);
  }

  attachApp(): never {
    throw new Error(
      "attachApp() is for uWebSockets.js, which the gateways take the place of: let clients connect to them.",
    );
  }

  bind(): never {
    throw new Error(
      "bind() is for an engine of your own, which the gateways take the place of: let clients connect to them.",
    );
  }

  /** Adapters are not needed: the gateways reach all sessions. It does nothing but say so. */
  adapter(_adapter?: AdapterOption): this {
    warnOf({ adapter: () => ({}) });
    return this;
  }

  path(): string;
  path(path: string): this;
  path(path?: string): this | string {
    if (path === undefined) return this.opts.path ?? "/socket.io";
    this.opts.path = path;
    return this;
  }

  serveClient(): boolean;
  serveClient(serve: boolean): this;
  serveClient(serve?: boolean): this | boolean {
    if (serve === undefined) return this.opts.serveClient ?? true;
    this.opts.serveClient = serve;
    return this;
  }

  /** A namespace by its name; or those whose names a pattern or a function allows, which are made as clients come. */
  of(
    name: string | RegExp | NamespaceTest,
    listener?: (socket: Socket<Listen, Emit, ServerSide, SocketData>) => void,
  ): Namespace<Listen, Emit, ServerSide, SocketData> | ParentNamespace<Listen, Emit, ServerSide, SocketData> {
    const namespace = this.namespaces.of(name);
    if (listener) namespace.on("connect", listener as any);
    return namespace;
  }

  use(
    middleware: (socket: Socket<Listen, Emit, ServerSide, SocketData>, next: (error?: ExtendedError) => void) => void,
  ): this {
    this.sockets.use(middleware);
    return this;
  }

  /** Says to the gateways that this instance ends. Its sessions go to others, and stay connected; done once they have. */
  leave(): Promise<void> {
    this.left ??= this.leaveOnce();
    return this.left;
  }

  /**
   * Ends the instance: as `leave`, and clients stay connected to their gateways. Those that came through this process's own
   * HTTP server are disconnected with it.
   */
  async close(then?: (error?: Error) => void): Promise<void> {
    const { front } = this;
    if (front) {
      this.admission.closeAll("server shutting down");
      this.core.link.wake();
    }
    const closed = new Promise<Error | undefined>((resolve) => (front ? front.close(resolve) : resolve(undefined)));
    await this.leave();
    then?.(await closed);
  }

  to(room: Room | Room[]): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.sockets.to(room);
  }

  in(room: Room | Room[]): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.sockets.in(room);
  }

  /** Only the sessions of this user, or of one of these. */
  toUser(user: string | string[]): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.sockets.toUser(user);
  }

  except(room: Room | Room[]): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.sockets.except(room);
  }

  compress(compress: boolean): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.sockets.compress(compress);
  }

  get volatile(): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.sockets.volatile;
  }

  get local(): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.sockets.local;
  }

  timeout(timeout: number): BroadcastOperator<WithTimeout<ToMany<Emit>>, SocketData> {
    return this.sockets.timeout(timeout);
  }

  override emit<Name extends EventNamesWithoutAck<Emit>>(name: Name, ...args: EventParams<Emit, Name>): boolean {
    return this.sockets.emit(name as any, ...(args as any));
  }

  emitWithAck<Name extends EventNamesWithAck<Emit>>(
    name: Name,
    ...args: ParamsBeforeAck<Emit, Name>
  ): Promise<AckOf<Emit, Name>[]> {
    return this.sockets.emitWithAck(name as any, ...(args as any)) as Promise<any>;
  }

  send(...args: EventParams<Emit, "message">): this {
    this.sockets.send(...args);
    return this;
  }

  write(...args: EventParams<Emit, "message">): this {
    this.sockets.send(...args);
    return this;
  }

  serverSideEmit<Name extends EventNames<ServerSide>>(
    name: Name,
    ...args: EventParams<WithTimeout<ToMany<ServerSide>>, Name>
  ): boolean {
    return this.sockets.serverSideEmit(name, ...args);
  }

  serverSideEmitWithAck<Name extends EventNamesWithAck<ServerSide>>(
    name: Name,
    ...args: ParamsBeforeAck<ServerSide, Name>
  ): Promise<AckOf<ServerSide, Name>[]> {
    return this.sockets.serverSideEmitWithAck(name as any, ...(args as any)) as Promise<any>;
  }

  fetchSockets(): Promise<RemoteSocket<Emit, SocketData>[]> {
    return this.sockets.fetchSockets();
  }

  /** The ids of all sessions of the namespace `/`. */
  allSockets(): Promise<Set<string>> {
    return this.sockets.allSockets();
  }

  list(options?: { fields?: ListField[] }): AsyncGenerator<RemoteSocket<Emit, SocketData>> {
    return this.sockets.list(options);
  }

  socketsJoin(room: Room | Room[]): void {
    this.sockets.socketsJoin(room);
  }

  socketsLeave(room: Room | Room[]): void {
    this.sockets.socketsLeave(room);
  }

  disconnectSockets(close = false): void {
    this.sockets.disconnectSockets(close);
  }

  private newCore(): Core {
    const core: Core = new Core(this.opts, {
      connect: (gateway, handle, request) => void this.admission.admit(core, gateway, handle, request),
      peer: (message) => this.serverSide.hear(message),
    });
    core.on("pressure", () => TypedEmitter.emitOn(this.sockets, "pressure"));
    for (const signal of this.opts.leaveOn ?? (["SIGTERM"] as const)) leaveOn(signal, this);
    return core;
  }

  private namespacePort(): NamespacePort {
    const { opts, serverSide } = this;
    const core = () => this.core;
    return {
      get core() {
        return core();
      },
      serverSide,
      get skipMiddlewares() {
        return opts.connectionStateRecovery !== undefined && opts.connectionStateRecovery.skipMiddlewares !== false;
      },
      emptied: ({ name }) => {
        if (opts.cleanupEmptyChildNamespaces) this.namespaces.removeChild(name);
      },
    };
  }

  private async leaveOnce(): Promise<void> {
    const { core } = this;
    leftAlready(this);
    core.leave();
    const until = Date.now() + LEAVE_WITHIN;
    while (core.attached.size > 0 && Date.now() < until) await new Promise((then) => setTimeout(then, 20));
    await core.close();
  }
}

// What listens to a server listens to its namespace `/`.
for (const name of Object.keys(EventEmitter.prototype)) {
  const method = (EventEmitter.prototype as any)[name];
  if (typeof method !== "function" || name === "emit") continue;
  (Server.prototype as any)[name] = function (this: Server, ...args: unknown[]) {
    const result = (this.sockets as any)[name](...args);
    return result === this.sockets ? this : result;
  };
}
