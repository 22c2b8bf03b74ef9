import type { Flags } from "../core/core.js";
import { type ListField, listPages } from "../core/list.js";
import { type Audience, EVERYBODY, encodeSelector, encodeSessions, inParts } from "../core/selector.js";
import type {
  AckOf,
  BroadcastError,
  EventNames,
  EventNamesWithError,
  EventParams,
  EventsMap,
  ParamsBeforeAck,
  WithTimeout,
} from "../events/types.js";
import { RemoteSocket } from "./remote-socket.js";
import { type Member, refuseReserved, type Scope, type Scoped } from "./scope.js";

/** The names of one or more rooms. */
export type Room = string;

type Then = (error: BroadcastError | null, responses: any) => void;

/** What is done to all who are selected: emitting, and the operations on many sessions. Each call narrows it, and gives a new one. */
export class BroadcastOperator<Emit extends EventsMap, SocketData> {
  constructor(
    private readonly scope: Scope,
    private readonly audience: Audience = EVERYBODY,
    private readonly flags: Flags & { single?: boolean } = {},
  ) {}

  /** The rooms of which one is asked for; empty for everybody. */
  get rooms(): ReadonlySet<Room> {
    return this.audience.rooms;
  }

  /** The rooms whose members are left out. */
  get exceptRooms(): ReadonlySet<Room> {
    return this.audience.except;
  }

  /** Only those in this room, or one of these; called again, those in one of all rooms that were named. */
  to(room: Room | Room[]): BroadcastOperator<Emit, SocketData> {
    return this.narrowed({ rooms: union(this.audience.rooms, room) });
  }

  /** The same as `to`. */
  in(room: Room | Room[]): BroadcastOperator<Emit, SocketData> {
    return this.to(room);
  }

  /** Only the sessions of this user, or of one of these, whichever rooms they are in. */
  toUser(user: string | string[]): BroadcastOperator<Emit, SocketData> {
    return this.narrowed({ users: union(this.audience.users, user) });
  }

  /** Not those in this room, or in one of these. A session's id is a room that it is in. */
  except(room: Room | Room[]): BroadcastOperator<Emit, SocketData> {
    return this.narrowed({ except: union(this.audience.except, room) });
  }

  /** Whether what is emitted may be compressed. */
  compress(compress: boolean): BroadcastOperator<Emit, SocketData> {
    return this.flagged({ compress });
  }

  /** What is emitted is not sent to clients that have something waiting. */
  get volatile(): BroadcastOperator<Emit, SocketData> {
    return this.flagged({ volatile: true });
  }

  /** Only sessions that are attached to this instance. */
  get local(): BroadcastOperator<Emit, SocketData> {
    return this.flagged({ local: true });
  }

  /** How long acknowledgements are waited for, in ms. */
  timeout(timeout: number): BroadcastOperator<WithTimeout<Emit>, SocketData> {
    return this.flagged({ timeout }) as unknown as BroadcastOperator<WithTimeout<Emit>, SocketData>;
  }

  /** Emits to all who are selected. With a function as the last argument, they are to acknowledge. */
  emit<Name extends EventNames<Emit>>(name: Name, ...args: EventParams<Emit, Name>): boolean {
    refuseReserved(name);
    const event: unknown[] = [name, ...args];
    const then = typeof event.at(-1) === "function" ? (event.pop() as Then) : undefined;
    const scoped = [...this.scope.scoped()];
    for (const namespace of scoped) this.notify(namespace, event);
    if (then) this.ask(scoped, event, then);
    else {
      for (const selector of scoped.flatMap((namespace) => [...this.selectors(namespace)])) {
        this.scope.core.cast(selector, event, this.flags);
      }
    }
    return true;
  }

  /** Emits, and gives the answers of all. If not all come in time, the error says who is `missing`. */
  emitWithAck<Name extends EventNamesWithError<Emit>>(
    name: Name,
    ...args: ParamsBeforeAck<Emit, Name>
  ): Promise<AckOf<Emit, Name>> {
    return new Promise((resolve, reject) => {
      const then: Then = (error, responses) => (error ? reject(error) : resolve(responses));
      this.emit(name, ...([...args, then] as unknown as EventParams<Emit, Name>));
    });
  }

  /** Those who are selected, wherever they are attached: sockets of this instance as they are, others as `RemoteSocket`. */
  async fetchSockets(): Promise<RemoteSocket<Emit, SocketData>[]> {
    const sockets: RemoteSocket<Emit, SocketData>[] = [];
    let bytes = 0;
    for await (const socket of this.list()) {
      sockets.push(socket);
      bytes += socket instanceof RemoteSocket ? socket.bytes : 0;
      if (bytes > FETCH_BYTES) {
        throw Object.assign(
          new Error(
            `fetchSockets() found sessions of more than ${FETCH_BYTES} bytes: read them one by one by ` +
              '`for await (const socket of io.in("room").list())`, which keeps none.',
          ),
          { code: "too_many_sockets" },
        );
      }
    }
    return sockets;
  }

  /** The ids of those who are selected. */
  async allSockets(): Promise<Set<string>> {
    const ids = new Set<string>();
    for await (const { id } of this.list({ fields: [] })) ids.add(id);
    return ids;
  }

  /** As `fetchSockets`, one by one as the gateways tell of them; `fields` says what of each is asked for. */
  async *list(options: { fields?: ListField[] } = {}): AsyncGenerator<RemoteSocket<Emit, SocketData>> {
    const fields = options.fields ?? ["rooms", "data", "handshake"];
    for (const namespace of [...this.scope.scoped()]) {
      const told = new Set<string>();
      for (const id of namespace.adapter.select(this.audience)) {
        const socket = namespace.sockets.get(id);
        if (!socket) continue;
        told.add(id);
        yield socket as unknown as RemoteSocket<Emit, SocketData>;
      }
      if (this.flags.local) continue;
      const selector = encodeSelector(namespace.name, this.audience);
      for await (const page of listPages(this.scope.core, selector, fields)) {
        for (const listed of page) if (!told.has(listed.session)) yield new RemoteSocket(this.one(namespace), listed);
      }
    }
  }

  /** Makes all who are selected join rooms. */
  socketsJoin(room: Room | Room[]): void {
    this.change("joins", listOf(room), (member, rooms) => member.mirrorJoin(rooms));
  }

  /** Makes all who are selected leave rooms. */
  socketsLeave(room: Room | Room[]): void {
    this.change("leaves", listOf(room), (member, rooms) => member.mirrorLeave(rooms));
  }

  /** Disconnects all who are selected from the namespace; with `close`, their connections as a whole. */
  disconnectSockets(close = false): void {
    this.change("closes", { connection: close }, (member) => member.ended("server namespace disconnect"));
  }

  /** The same for one session of a namespace. */
  private one(namespace: Scoped) {
    const scope: Scope = { core: this.scope.core, scoped: () => [namespace] };
    return (session: string) =>
      new BroadcastOperator<Emit, SocketData>(scope, { ...EVERYBODY, rooms: new Set([session]) }, { single: true });
  }

  private ask(scoped: Scoped[], event: unknown[], then: Then): void {
    const answer: Then = this.flags.single ? (error, responses) => then(error, error ? null : responses[0]) : then;
    const selectors = scoped.flatMap((namespace) => [...this.selectors(namespace)]);
    if (selectors.length === 1) return this.scope.core.cast(selectors[0]!, event, this.flags, answer);
    Promise.all(selectors.map((selector) => this.answers(selector, event))).then(
      (answers) => answer(null, answers.flat()),
      (error) => answer(error, error.responses),
    );
  }

  private answers(selector: string, event: unknown[]): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      const then: Then = (error, responses) => (error ? reject(error) : resolve(responses));
      this.scope.core.cast(selector, event, this.flags, then);
    });
  }

  private *selectors(namespace: Scoped): Generator<string> {
    if (!this.flags.local) {
      yield encodeSelector(namespace.name, this.audience);
      return;
    }
    const sessions = [...namespace.adapter.select(this.audience)];
    for (const part of inParts(sessions)) yield encodeSessions(namespace.name, part);
  }

  private notify(namespace: Scoped, event: unknown[]): void {
    if (namespace.outgoingListeners.count === 0) return;
    for (const id of namespace.adapter.select(this.audience)) namespace.sockets.get(id)?.notifyOutgoing(event);
  }

  private change<What extends object>(kind: string, what: What, here: (member: Member, what: What) => void): void {
    for (const namespace of this.scope.scoped()) {
      const selected = namespace.adapter.select(this.audience);
      for (const selector of this.selectors(namespace)) {
        this.scope.core.broadcast(kind, [], [selector, JSON.stringify(what)]);
      }
      for (const id of selected) {
        const member = namespace.sockets.get(id);
        if (member) here(member, what);
      }
    }
  }

  private narrowed(part: Partial<Audience>): BroadcastOperator<Emit, SocketData> {
    return new BroadcastOperator(this.scope, { ...this.audience, ...part }, this.flags);
  }

  private flagged(part: Partial<Flags>): BroadcastOperator<Emit, SocketData> {
    return new BroadcastOperator(this.scope, this.audience, { ...this.flags, ...part });
  }
}

/** The most bytes of sessions that `fetchSockets` gathers. */
const FETCH_BYTES = 64 * 1024 * 1024;

function union(set: ReadonlySet<string>, names: string | string[]): ReadonlySet<string> {
  return new Set([...set, ...listOf(names)]);
}

function listOf(names: string | string[]): string[] {
  return Array.isArray(names) ? names : [names];
}
