import { encodeArgs } from "../core/args.js";
import type { Session } from "../core/attached.js";
import type { ConnectRequest } from "../core/connect.js";
import { type Flags, flagsField } from "../core/core.js";
import { encodeSessions } from "../core/selector.js";
import { openSessionCall } from "../core/session-call.js";
import type {
  AckOf,
  DefaultEventsMap,
  EventNames,
  EventNamesWithAck,
  EventParams,
  EventsMap,
  ParamsBeforeAck,
  ToMany,
  WithTimeout,
} from "../events/types.js";
import { AnyEmitter } from "./any-listeners.js";
import { BroadcastOperator, type Room } from "./broadcast-operator.js";
import type { Client, Connection } from "./client.js";
import { type Handshake, handshakeOf } from "./handshake.js";
import { type ExtendedError, runAll } from "./middleware.js";
import type { Namespace } from "./namespace.js";
import { Questions } from "./questions.js";
import type { ClientRequest } from "./request.js";
import { type Member, refuseReserved } from "./scope.js";
import { SessionData } from "./session-data.js";
import type { Event, SocketEvents, Where } from "./socket-types.js";

type State = "asking" | "attached" | "ended";

/** A session of a client in a namespace, which is attached to this instance. */
export class Socket<
    Listen extends EventsMap = DefaultEventsMap,
    Emit extends EventsMap = Listen,
    ServerSide extends EventsMap = DefaultEventsMap,
    SocketData = any,
  >
  extends AnyEmitter<Listen, SocketEvents>
  implements Session, Member
{
  readonly id: string;
  readonly handshake: Handshake;
  /** Whether this is a session that went on: its client lost its connection, or its instance ended. It has its rooms and data. */
  readonly recovered: boolean;
  /** The subject of its token, where it has one. */
  readonly user: string | undefined;
  /** What its token says, where it has one. */
  readonly claims: Record<string, any> | undefined;
  /** How many events an instance that ended without a word had taken and not answered: they come again, see `repeated`. */
  readonly inDoubt: number;
  /** Whether the event that listeners are being called for may have been handled before, by an instance that died. */
  repeated = false;
  connected = false;
  private state: State = "asking";
  private flags: Flags = {};
  private readonly kept: SessionData;
  private questions: Questions | undefined;
  private middlewares: ((event: Event, next: (error?: Error) => void) => void)[] = [];

  constructor(
    readonly nsp: Namespace<Listen, Emit, ServerSide, SocketData>,
    readonly client: Client<Socket<any, any, any, any>>,
    private readonly where: Where,
    request: ConnectRequest,
  ) {
    super();
    this.id = request.session;
    this.handshake = handshakeOf(request);
    this.recovered = request.why !== "new";
    this.user = request.user;
    this.claims = request.claims;
    this.inDoubt = request.doubt;
    this.kept = new SessionData(request.data, request.rev, nsp.core.data, (rev, json) => {
      if (this.state === "attached") this.say("data", [rev], json);
    });
    nsp.core.attached.add(where.gateway, where.handle, this);
    client.add(this);
    if (request.rooms.length > 0) this.mirrorJoin([...request.rooms]);
  }

  /** What a program keeps of the session, as JSON can say it, up to 16 KiB: it goes along to other instances. */
  get data(): Partial<SocketData> & { [key: string]: any } {
    return this.kept.value as Partial<SocketData> & { [key: string]: any };
  }

  set data(data: Partial<SocketData> & { [key: string]: any }) {
    this.kept.value = data;
  }

  get rooms(): Set<Room> {
    return this.nsp.adapter.sids.get(this.id) ?? new Set();
  }

  get request(): ClientRequest {
    return this.client.request;
  }

  get conn(): Connection {
    return this.client.conn;
  }

  get disconnected(): boolean {
    return !this.connected;
  }

  /** The client is let in. */
  accepted(): void {
    this.state = "attached";
    this.connected = true;
    this.mirrorJoin([this.id]);
    const rooms = [...this.rooms].filter((room) => room !== this.id);
    this.say("accept", [], `{"rooms":${JSON.stringify(rooms)},"data":${this.kept.snapshot()}}`);
  }

  /** The client is not let in. */
  refused(error: ExtendedError): void {
    if (this.state !== "asking") return;
    this.say("refuse", [], JSON.stringify({ message: error.message, data: error.data }));
    this.forget("server namespace disconnect");
  }

  /** Whether the client still waits to be let in. */
  get isAsking(): boolean {
    return this.state === "asking";
  }

  override emit<Name extends EventNames<Emit>>(name: Name, ...args: EventParams<Emit, Name>): boolean {
    refuseReserved(name);
    const event: unknown[] = [name, ...args];
    const { flags } = this;
    this.flags = {};
    const then = typeof event.at(-1) === "function" ? (event.pop() as (...args: unknown[]) => void) : undefined;
    const call = then && this.ask(flags, then);
    this.outgoing?.call(event);
    if (this.state === "ended") return this.emitAfter(event, call);
    const fields = [flagsField(flags), call, flags.timeout];
    this.say("emit", fields, encodeArgs(event), flags.volatile);
    return true;
  }

  /** Emits, and gives what the client acknowledges with. */
  emitWithAck<Name extends EventNamesWithAck<Emit>>(
    name: Name,
    ...args: ParamsBeforeAck<Emit, Name>
  ): Promise<AckOf<Emit, Name>> {
    const timed = this.flags.timeout !== undefined;
    return new Promise((resolve, reject) => {
      const then = (first: any, second: any) => (timed ? (first ? reject(first) : resolve(second)) : resolve(first));
      this.emit(name, ...([...args, then] as unknown as EventParams<Emit, Name>));
    });
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

  /** What is emitted next may be compressed, or not. */
  compress(compress: boolean): this {
    this.flags.compress = compress;
    return this;
  }

  /** What is emitted next is not sent if the client has something waiting. */
  get volatile(): this {
    this.flags.volatile = true;
    return this;
  }

  /** How long an acknowledgement of what is emitted next is waited for, in ms. */
  timeout(timeout: number): Socket<Listen, WithTimeout<Emit>, ServerSide, SocketData> {
    this.flags.timeout = timeout;
    return this as unknown as Socket<Listen, WithTimeout<Emit>, ServerSide, SocketData>;
  }

  to(room: Room | Room[]): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.others().to(room);
  }

  in(room: Room | Room[]): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.others().to(room);
  }

  except(room: Room | Room[]): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.others().except(room);
  }

  get broadcast(): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.others();
  }

  get local(): BroadcastOperator<ToMany<Emit>, SocketData> {
    return this.others().local;
  }

  join(rooms: Room | Room[]): Promise<void> | void {
    const joined = (Array.isArray(rooms) ? rooms : [rooms]).filter((room) => !this.rooms.has(room));
    if (this.state === "ended" || joined.length === 0) return;
    this.mirrorJoin(joined);
    if (this.state === "attached") this.say("join", [], JSON.stringify(joined));
  }

  leave(room: Room): Promise<void> | void {
    if (!this.rooms.has(room)) return;
    this.mirrorLeave([room]);
    if (this.state === "attached") this.say("leave", [], JSON.stringify([room]));
  }

  /** Leaves all rooms, its own too. */
  leaveAll(): void {
    const left = [...this.rooms].filter((room) => room !== this.id);
    this.mirrorLeave([...this.rooms]);
    if (left.length > 0 && this.state === "attached") this.say("leave", [], JSON.stringify(left));
  }

  /** Disconnects the session from its namespace; with `close`, the client's connection as a whole. */
  disconnect(close = false): this {
    if (!this.connected) return this;
    if (close) this.conn.close();
    else {
      this.say("close", [], '{"connection":false}');
      this.ended("server namespace disconnect");
    }
    return this;
  }

  /** Says to the gateway that the connection is to be closed; its sockets are ended by who asks for that. */
  closeConnection(): void {
    if (this.state !== "ended") this.say("close", [], '{"connection":true}');
  }

  /** Adds a middleware for each event of the client. */
  use(middleware: (event: Event, next: (error?: Error) => void) => void): this {
    this.middlewares = [...this.middlewares, middleware];
    return this;
  }

  event(args: unknown[], question: string | undefined, repeated: boolean): void {
    const event = args as Event;
    if (question !== undefined) event.push(this.answerOf(question));
    this.incoming?.call(event);
    process.nextTick(() => this.dispatch(event, repeated));
  }

  roomsChanged(joined: string[], left: string[]): void {
    this.mirrorJoin(joined);
    this.mirrorLeave(left);
  }

  dataChanged(data: Record<string, any>, rev: number): void {
    this.kept.changed(data, rev);
  }

  upgraded(transport: string): void {
    this.conn.upgraded(transport);
  }

  malformed(message: string): void {
    this.complain(new Error(message));
  }

  gone(reason: string, cause: string | undefined): void {
    if (this.state === "asking") this.forget(reason);
    else this.ended(reason, cause === undefined ? undefined : { cause });
  }

  ended(reason: string, description?: unknown): void {
    if (this.state !== "attached") return;
    this.emitHere("disconnecting", reason, description);
    this.kept.flushData();
    this.forget(reason);
    this.emitHere("disconnect", reason, description);
  }

  fence(): void {
    // What came before is dispatched by then, and answered.
    setImmediate(() => {
      if (this.questions) this.questions.whenAnswered(() => this.release());
      else this.release();
    });
  }

  detach(): void {
    if (this.state === "ended") return;
    const wasAttached = this.state === "attached";
    this.forget("detach");
    if (wasAttached) this.emitHere("detach");
  }

  mirrorJoin(rooms: string[]): void {
    this.nsp.adapter.add(this.id, rooms);
  }

  mirrorLeave(rooms: string[]): void {
    for (const room of rooms) this.nsp.adapter.remove(this.id, room);
  }

  notifyOutgoing(args: readonly unknown[]): void {
    this.outgoing?.call(args);
  }

  protected outgoingChanged(by: number): void {
    if (this.state !== "ended") this.nsp.outgoingListeners.count += by;
  }

  private others(): BroadcastOperator<ToMany<Emit>, SocketData> {
    const { flags } = this;
    this.flags = {};
    const everybody = new BroadcastOperator<ToMany<Emit>, SocketData>(this.nsp, undefined, flags);
    return everybody.except(this.id);
  }

  private ask({ timeout }: Flags, then: (...args: unknown[]) => void): number {
    return openSessionCall(this.nsp.core, this.where.gateway, timeout, (error, args) => {
      if (timeout === undefined) then(...args);
      else if (error) then(error);
      else then(null, ...args);
    });
  }

  /** All was said that this instance has to say for the session. */
  private release(): void {
    if (this.state !== "attached") return;
    this.kept.flushData();
    this.say("released", []);
    this.detach();
  }

  /** A handler that still runs after its session was released has something to say: it goes where the session is now. */
  private emitAfter(event: unknown[], call: number | undefined): boolean {
    if (this.nsp.core.leaving && call === undefined) {
      this.nsp.core.cast(encodeSessions(this.nsp.name, [this.id]), event, {});
    }
    return true;
  }

  private answerOf(question: string): (...args: unknown[]) => void {
    this.questions ??= new Questions();
    this.questions.add(question);
    let answered = false;
    return (...args) => {
      if (answered) return;
      answered = true;
      if (this.state !== "ended") this.say("ack", [question], encodeArgs(args));
      this.questions?.close(question);
    };
  }

  private dispatch(event: Event, repeated: boolean): void {
    if (this.middlewares.length === 0) return this.deliver(event, repeated);
    runAll(this.middlewares, [event], (error) =>
      process.nextTick(() => (error ? this.complain(error) : this.deliver(event, repeated))),
    );
  }

  private deliver(event: Event, repeated: boolean): void {
    if (!this.connected) return;
    this.repeated = repeated;
    this.emitHere(...(event as [string, ...unknown[]]));
    this.repeated = false;
  }

  private complain(error: Error): void {
    if (this.listenerCount("error") > 0) this.emitHere("error", error);
    else console.error("Missing error handler on `socket`.", error.stack);
  }

  /** Nothing is known of the session here any more. */
  private forget(reason: string): void {
    const wasAsking = this.state === "asking";
    this.state = "ended";
    this.connected = false;
    this.kept.forget();
    this.nsp.outgoingListeners.count -= this.listenersAnyOutgoing().length;
    this.nsp.adapter.removeAll(this.id);
    this.nsp.removed(this, wasAsking);
    this.nsp.core.attached.remove(this.where.gateway, this.where.handle);
    this.client.remove(this, reason);
  }

  private say(
    kind: string,
    fields: readonly (string | number | undefined)[],
    body?: string | ReturnType<typeof encodeArgs>,
    volatile?: boolean,
  ): void {
    const { gateway, handle } = this.where;
    const encoded = typeof body === "string" ? { text: body } : body;
    this.nsp.core.say(gateway, kind, [handle, ...fields], { ...encoded, volatile });
  }
}
