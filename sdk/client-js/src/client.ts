import { clockOf, type ClientOptions, outboxLimits, transportOf } from "./options.js";
import type { Clock } from "./clock.js";
import { attach, detach } from "./core/attachments.js";
import type { Item } from "./core/outbox.js";
import type { Answer, Data, Message, Push, Request } from "./core/wire.js";
import type { Core, PublishOptions } from "./core.js";
import { Emitter, type Off } from "./emitter.js";
import { SluiceError } from "./errors.js";
import { readMessage } from "./history.js";
import { newId } from "./id.js";
import type { PresenceChange } from "./presence.js";
import { ask } from "./requests.js";
import { Room } from "./room.js";
import { type Receipt, Sender, type Settled } from "./sender.js";
import { Session } from "./session.js";
import { Tokens } from "./tokens.js";
import { Ways } from "./transport/ways.js";
import { until } from "./until.js";

/** The state of a client, and why it is in it. */
export interface ClientState {
  readonly state: "disconnected" | "connecting" | "connected";
  /** The name of the close or the code of the refusal that led to it, or `new`, `connected`, `disconnected`, `unauthorized`. */
  readonly reason: string;
}

/** What a client tells. */
export interface ClientEvents {
  state: ClientState;
  /** A publication was taken, was refused, or has failed: also those from before a reload. */
  settled: Settled;
  /** What waits in the outbox has changed. */
  outbox: { readonly items: number; readonly bytes: number };
  /** The gateway drains, and closes the connection within so many milliseconds. The client comes back by itself. */
  drain: { readonly reason: string; readonly within: number };
  /** Messages are refused because they come too fast. */
  throttled: { readonly messagesPerSecond: number };
  /** Every message, for whoever wants to look. */
  message: Message;
}

/** Options of a request that is not kept in the outbox. */
export interface AskOptions {
  readonly signal?: AbortSignal;
}

/**
 * A client of one gateway, or a fleet of them. `Rooms` says what is published where: `npx @sluice/client types` writes
 * it from the Rooms' schemas.
 */
export class Client<Rooms = Record<string, Record<string, any>>> {
  readonly #clock: Clock;
  readonly #tokens: Tokens;
  readonly #session: Session;
  readonly #sender: Sender;
  readonly #core: Core;
  readonly #ways: Ways;
  readonly #events = new Emitter<ClientEvents>();
  readonly #direct = new Emitter<Record<string, Message>>();
  readonly #rooms = new Map<string, Room>();
  /** Rooms that were seen to have a history. */
  readonly #kept = new Set<string>();
  #told = "";

  /** Connects as soon as something wants it: {@link connect}, a room, a publication, a request. */
  constructor(url: string, options: ClientOptions = {}) {
    const clock = clockOf(options);
    this.#clock = clock;
    this.#tokens = new Tokens(options.getToken, clock);
    this.#ways = new Ways(url, transportOf(options), options.fallback, clock);
    this.#session = new Session(this.#ways, this.#tokens, clock, options, {
      changed: () => this.#changed(),
      connected: () => this.#connected(),
      disconnected: (tooLarge) => this.#disconnected(tooLarge),
      push: (push) => this.#push(push),
    });
    this.#core = {
      clock,
      start: () => this.#start(),
      call: (request, answered) => void this.#session.call(request, answered),
      askWhenConnected: (request, signal) => this.#askWhenConnected(request, signal),
      publish: (room, event, data, how) => this.#publish(room, event, data, how),
      roomChanged: () => this.#sender.turn(),
    };
    this.#sender = new Sender(outboxLimits(options), options.outbox?.store, clock, {
      gate: (room) => this.#gate(room),
      ask: (request) => this.#ask(request),
      settled: (settled) => this.#settled(settled),
      changed: () => this.#events.emit("outbox", this.#sender.outbox.size),
    });
  }

  /** Whether it is connected, and why not. */
  get state(): ClientState {
    const { phase, reason } = this.#session.connection;
    const state = phase === "off" ? "disconnected" : phase === "connected" ? "connected" : "connecting";
    return { state, reason };
  }

  /** The session's public id, and the user of its token; empty before it connected. */
  get session(): { readonly id: string; readonly user: string } {
    const { id, user } = this.#session;
    return { id, user };
  }

  /** The publications that wait or are unanswered. */
  get outbox(): readonly Item[] {
    return [...this.#sender.outbox];
  }

  /** The way that is taken to the gateway: `websocket`, or the fallback's name. */
  get transport(): string {
    return this.#ways.name;
  }

  /** Calls the listener with each such event, until the returned function is called. */
  on<N extends keyof ClientEvents>(event: N, listener: (value: ClientEvents[N]) => void): Off {
    return this.#events.on(event, listener);
  }

  /** Calls the listener with messages of this event that were sent to the user or to everybody, and not to a room. */
  onDirect(event: string, listener: (message: Message) => void): Off {
    return this.#direct.on(event, listener);
  }

  /** Connects, and stays so until {@link disconnect}. Resolves when it is connected; fails where it cannot be. */
  async connect({ signal }: AskOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    this.#session.start();
    await this.#whenConnected(signal);
  }

  /** Disconnects, until {@link connect}. What waits in the outbox, and what is published meanwhile, waits for that. */
  disconnect(): void {
    this.#session.stop("disconnected");
  }

  /**
   * Says that the network or the machine may be back: where no page tells of it, as in React Native. The client then
   * finds out at once whether its connection still carries anything, or waits no longer for its next attempt.
   */
  wake(): void {
    this.#session.wake();
  }

  /** Shows a panel of what the client does, over the page; resolves to what removes it. It is loaded when it is asked for. */
  async debug(): Promise<Off> {
    const { showPanel } = await import("./debug.js");
    return showPanel(this);
  }

  /** A room; the same object each time. It is joined when something uses it. */
  room<N extends keyof Rooms & string>(name: N): Room<Rooms[N]> {
    let room = this.#rooms.get(name);
    if (!room) {
      room = new Room(name, this.#core);
      this.#rooms.set(name, room);
      if (this.#session.connection.phase === "connected") room.connected();
    }
    return room as unknown as Room<Rooms[N]>;
  }

  /** All rooms that were asked for. */
  get rooms(): readonly Room[] {
    return [...this.#rooms.values()];
  }

  /** Sends to all connected sessions of a user. It is not kept for who is away. */
  async direct(user: string, event: string, data: Data, { signal }: AskOptions = {}): Promise<void> {
    await this.#askWhenConnected({ op: "direct", user, event, ...body(data) }, signal);
  }

  /** Sends to every session of the namespace; the token has to allow it. */
  async broadcast(event: string, data: Data, { signal }: AskOptions = {}): Promise<void> {
    await this.#askWhenConnected({ op: "broadcast", event, ...body(data) }, signal);
  }

  /** Sends an event to the application's backend, and resolves to what it answers. */
  async emit(event: string, data: Data, { signal }: AskOptions = {}): Promise<Data> {
    const answer = await this.#askWhenConnected({ op: "emit", event, ...body(data) }, signal);
    return attach(answer["data"], answer["attachments"] as readonly string[] | undefined);
  }

  #publish(room: string, event: string, data: Data, options: PublishOptions): Promise<Receipt> {
    const { id = newId(), echo = true, signal } = options;
    this.#start();
    const sent = body(data);
    const bytes = JSON.stringify([room, event, sent]).length;
    return this.#sender.publish({ id, room, event, ...sent, echo, bytes, at: this.#clock.now() }, signal);
  }

  /** Connects for the first time; who has disconnected comes back by {@link connect} alone. */
  #start(): string | undefined {
    const { connection } = this.#session;
    if (connection.phase === "off" && connection.reason !== "new") return connection.reason;
    this.#session.start();
    return undefined;
  }

  #gate(name: string) {
    if (this.#session.connection.phase !== "connected") return undefined;
    const room = this.#rooms.get(name);
    const publisher = this.#session.user || this.#session.id;
    if (room?.state.state === "joining") return undefined;
    if (room?.state.state === "joined")
      return room.epoch === undefined ? {} : { scope: { publisher, epoch: room.epoch } };
    return this.#kept.has(name) ? { scope: { publisher } } : {};
  }

  #settled(settled: Settled): void {
    if (settled.receipt?.offset !== undefined) this.#kept.add(settled.item.room);
    this.#events.emit("settled", settled);
  }

  async #askWhenConnected(request: Request, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted();
    this.#start();
    await this.#whenConnected(signal);
    return this.#ask(request, signal);
  }

  #ask(request: Request, signal?: AbortSignal): Promise<Answer> {
    return ask((answered) => this.#session.call(request, answered), signal);
  }

  #whenConnected(signal?: AbortSignal): Promise<void> {
    const connected = () => {
      const { state, reason } = this.state;
      if (state !== "disconnected") return state === "connected";
      throw new SluiceError(reason, `the client is disconnected: ${reason}; mend that, then call connect()`);
    };
    return until(connected, (look) => this.on("state", look), signal);
  }

  #changed(): void {
    const { state } = this;
    const told = JSON.stringify(state);
    if (told === this.#told) return;
    this.#told = told;
    if (state.state === "disconnected") for (const room of this.#rooms.values()) room.over(state.reason);
    this.#events.emit("state", state);
  }

  #connected(): void {
    for (const room of this.#rooms.values()) room.connected();
    this.#sender.turn();
  }

  #disconnected(tooLarge: boolean): void {
    for (const room of this.#rooms.values()) room.disconnected();
    this.#sender.disconnected(tooLarge);
  }

  #push(push: Push): void {
    if (!push.meta) return this.#own(push);
    const message = push as Message & Push;
    this.#events.emit("message", readMessage(message));
    if (message.meta.room !== undefined) this.#rooms.get(message.meta.room)?.message(message);
    else this.#direct.emit(message.event, readMessage(message));
  }

  /** An event of the gateway itself. */
  #own({ event, data }: Push): void {
    const { room, reason } = (data ?? {}) as { room?: string; reason?: string };
    const of = room === undefined ? undefined : this.#rooms.get(room);
    if (event === "presence") of?.presenceChanged(data as PresenceChange);
    if (event === "revoked") of?.revoked(reason ?? "revoked");
    if (event === "drain" || event === "throttled") this.#events.emit(event, data as never);
  }
}

/** Data as it goes over the wire. */
function body(value: Data): { data: Data; attachments?: string[] } {
  const { data, attachments } = detach(value);
  return attachments.length ? { data, attachments } : { data };
}
