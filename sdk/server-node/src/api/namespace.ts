import type { ConnectRequest } from "../core/connect.js";
import type { Core } from "../core/core.js";
import type { ListField } from "../core/list.js";
import { Mirror } from "../core/mirror.js";
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
import { BroadcastOperator, type Room } from "./broadcast-operator.js";
import type { Client } from "./client.js";
import { type ExtendedError, runAll } from "./middleware.js";
import type { RemoteSocket } from "./remote-socket.js";
import type { Scope, Scoped } from "./scope.js";
import type { ServerSideEmitter } from "./server-side.js";
import { Socket } from "./socket.js";
import type { Where } from "./socket-types.js";

/** The events that the library itself emits on a namespace. */
export interface NamespaceEvents<
  Listen extends EventsMap,
  Emit extends EventsMap,
  ServerSide extends EventsMap,
  SocketData,
> {
  connect: (socket: Socket<Listen, Emit, ServerSide, SocketData>) => void;
  connection: (socket: Socket<Listen, Emit, ServerSide, SocketData>) => void;
  /** On a server: a client has come to a namespace whose name a pattern or a function allows, for the first time. */
  new_namespace: (namespace: Namespace<Listen, Emit, ServerSide, SocketData>) => void;
}

/** What a namespace needs of its server. */
export interface NamespacePort {
  readonly core: Core;
  readonly serverSide: ServerSideEmitter;
  /** Whether sessions that were recovered pass by the middlewares. */
  readonly skipMiddlewares: boolean;
  /** No session is attached here through this namespace any more, and none asks. */
  emptied(namespace: { readonly name: string }): void;
}

export type Middleware<S> = (socket: S, next: (error?: ExtendedError) => void) => void;

/** Sessions that share a name: what Socket.IO calls a namespace. */
export class Namespace<
    Listen extends EventsMap = DefaultEventsMap,
    Emit extends EventsMap = Listen,
    ServerSide extends EventsMap = DefaultEventsMap,
    SocketData = any,
  >
  extends TypedEmitter<ServerSide, NamespaceEvents<Listen, Emit, ServerSide, SocketData>>
  implements Scope, Scoped
{
  /** The sessions that are attached to this instance. */
  readonly sockets = new Map<string, Socket<Listen, Emit, ServerSide, SocketData>>();
  /** Who is in which room, of the sessions that are attached to this instance. */
  readonly adapter = new Mirror();
  readonly outgoingListeners = { count: 0 };
  private asking = 0;
  private middlewares: Middleware<Socket<Listen, Emit, ServerSide, SocketData>>[] = [];

  constructor(
    /** The server that it belongs to, for programs. */
    readonly server: unknown,
    readonly name: string,
    private readonly port: NamespacePort,
  ) {
    super();
  }

  get core(): Core {
    return this.port.core;
  }

  *scoped(): Generator<Scoped> {
    yield this;
  }

  /** Adds a middleware for each client that asks for the namespace. */
  use(middleware: Middleware<Socket<Listen, Emit, ServerSide, SocketData>>): this {
    this.middlewares = [...this.middlewares, middleware];
    return this;
  }

  to(room: Room | Room[]): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.everybody().to(room);
  }

  in(room: Room | Room[]): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.everybody().to(room);
  }

  /** Only the sessions of this user, or of one of these. */
  toUser(user: string | string[]): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.everybody().toUser(user);
  }

  except(room: Room | Room[]): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.everybody().except(room);
  }

  compress(compress: boolean): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.everybody().compress(compress);
  }

  get volatile(): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.everybody().volatile;
  }

  get local(): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.everybody().local;
  }

  timeout(timeout: number): BroadcastOperator<WithTimeout<ToMany<Emit>>, SocketData> {
    return this.everybody().timeout(timeout) as BroadcastOperator<WithTimeout<ToMany<Emit>>, SocketData>;
  }

  override emit<Name extends EventNamesWithoutAck<Emit>>(name: Name, ...args: EventParams<Emit, Name>): boolean {
    return this.everybody().emit(name as any, ...(args as any));
  }

  emitWithAck<Name extends EventNamesWithAck<Emit>>(
    name: Name,
    ...args: ParamsBeforeAck<Emit, Name>
  ): Promise<AckOf<Emit, Name>[]> {
    return this.everybody().emitWithAck(name as any, ...(args as any)) as Promise<any>;
  }

  /** Emits a `message`. */
  send(...args: EventParams<Emit, "message">): this {
    this.emit("message" as any, ...(args as any));
    return this;
  }

  /** The same as `send`. */
  write(...args: EventParams<Emit, "message">): this {
    return this.send(...args);
  }

  /** Emits to the other instances of the application. */
  serverSideEmit<Name extends EventNames<ServerSide>>(
    name: Name,
    ...args: EventParams<WithTimeout<ToMany<ServerSide>>, Name>
  ): boolean {
    this.port.serverSide.emit(this.name, [name, ...args]);
    return true;
  }

  /** Emits to the other instances of the application, and gives their answers. */
  serverSideEmitWithAck<Name extends EventNamesWithAck<ServerSide>>(
    name: Name,
    ...args: ParamsBeforeAck<ServerSide, Name>
  ): Promise<AckOf<ServerSide, Name>[]> {
    return new Promise((resolve, reject) => {
      const then = (error: Error | null, responses: any[]) => {
        if (!error) return resolve(responses);
        reject(Object.assign(error, { responses }));
      };
      this.port.serverSide.emit(this.name, [name, ...args, then]);
    });
  }

  /** Another instance has emitted. */
  emittedByPeer(event: [string, ...unknown[]]): void {
    this.emitHere(...event);
  }

  fetchSockets(): Promise<RemoteSocket<Emit, SocketData>[]> {
    return this.everybody().fetchSockets() as Promise<any>;
  }

  /** As `fetchSockets`, one by one as the gateways tell of them. */
  list(options?: { fields?: ListField[] }): AsyncGenerator<RemoteSocket<Emit, SocketData>> {
    return this.everybody().list(options) as AsyncGenerator<any>;
  }

  socketsJoin(room: Room | Room[]): void {
    this.everybody().socketsJoin(room);
  }

  socketsLeave(room: Room | Room[]): void {
    this.everybody().socketsLeave(room);
  }

  disconnectSockets(close = false): void {
    this.everybody().disconnectSockets(close);
  }

  /** The ids of all sessions of the namespace. */
  allSockets(): Promise<Set<string>> {
    return this.everybody().allSockets();
  }

  /** A client asks for the namespace. */
  connect(
    client: Client<Socket<any, any, any, any>>,
    where: Where,
    request: ConnectRequest,
  ): Socket<Listen, Emit, ServerSide, SocketData> {
    const socket = new Socket<Listen, Emit, ServerSide, SocketData>(this, client, where, request);
    this.asking++;
    const { user } = socket;
    if (user !== undefined) this.adapter.isOf(socket.id, user);
    const letIn = (error: ExtendedError | null) =>
      process.nextTick(() => {
        if (!socket.isAsking) return;
        if (error) socket.refused(error);
        else this.letIn(socket);
      });
    if (request.why === "recovered" && this.port.skipMiddlewares) letIn(null);
    else runAll(this.middlewares, [socket], letIn);
    return socket;
  }

  /** A socket of this namespace has ended. */
  removed(socket: Socket<Listen, Emit, ServerSide, SocketData>, wasAsking: boolean): void {
    if (socket.user !== undefined) this.adapter.isOfNobody(socket.id, socket.user);
    // Its session may be attached here once more already.
    if (this.sockets.get(socket.id) === socket) this.sockets.delete(socket.id);
    else if (wasAsking) this.asking--;
    if (this.sockets.size === 0 && this.asking === 0) this.port.emptied(this);
  }

  /** What a pattern's namespace has told its own to do. */
  inherit(middlewares: readonly Middleware<any>[], listeners: readonly (readonly [string | symbol, Function])[]): void {
    this.middlewares = [...middlewares];
    for (const [name, listener] of listeners) this.on(name as any, listener as any);
  }

  private letIn(socket: Socket<Listen, Emit, ServerSide, SocketData>): void {
    this.asking--;
    this.sockets.set(socket.id, socket);
    socket.accepted();
    this.emitHere("connect", socket);
    this.emitHere("connection", socket);
  }

  private everybody(): BroadcastOperator<ToMany<Emit>, SocketData> {
    return new BroadcastOperator(this);
  }
}
