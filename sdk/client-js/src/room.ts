import { Membership, type RoomPhase, type RoomStep } from "./core/membership.js";
import type { Message, Meta } from "./core/wire.js";
import { Emitter, type Off } from "./emitter.js";
import { SluiceError, passes } from "./errors.js";
import { type HistoryOptions, readHistory, readMessage } from "./history.js";
import { Presence, type PresenceChange, type Snapshot } from "./presence.js";
import type { Receipt } from "./sender.js";
import type { Core, PublishOptions } from "./core.js";
import { until } from "./until.js";

/** So long is a room kept after its last user has gone: components that are replaced do not leave it. */
const LINGER = 100;

/** The state of a room, and why it is in it. */
export interface RoomState {
  readonly state: RoomPhase;
  /** `wanted`, `joined`, `left`, `disconnected`, or the code of a refusal: docs/errors.md. */
  readonly reason: string;
  /**
   * When it was joined again: whether nothing was missed. After `false` read the history and go on from there; in a
   * room without history it is always `false`. Undefined where it was joined for the first time.
   */
  readonly recovered?: boolean;
}

/** The data of a room's events, by their names. */
export type Events = Record<string, unknown>;

/**
 * A room. It is joined while anybody uses it: each listener, each {@link join} and each {@link presence} counts, and
 * all parts of a program share one membership.
 */
export class Room<E = Record<string, any>> {
  /** The room's name. */
  readonly name: string;
  readonly #member = new Membership();
  readonly #messages = new Emitter<Record<string, Message>>();
  readonly #states = new Emitter<{ state: RoomState }>();
  readonly #presences = new Set<Presence>();
  #users = 0;
  #joins = 0;
  #attempts = 0;
  #told = "";
  #stopTimer = () => {};
  #stopLinger = () => {};

  /** @internal */
  constructor(
    name: string,
    private readonly core: Core,
  ) {
    this.name = name;
  }

  get state(): RoomState {
    const { phase, reason, recovered } = this.#member;
    return { state: phase, reason, ...(recovered === undefined ? {} : { recovered }) };
  }

  /** The offset up to which all is read; undefined in a room without history. */
  get offset(): number | undefined {
    return this.#member.offset;
  }

  /** The identity of the room's history; undefined where it has none. */
  get epoch(): string | undefined {
    return this.#member.epoch;
  }

  /** Calls the listener with each message of this event. Joins the room; the returned function takes both back. */
  on<N extends keyof E & string>(event: N, listener: (data: E[N], meta: Meta) => void): Off {
    return this.#use(this.#messages.on(event, ({ data, meta }) => listener(data as E[N], meta)));
  }

  /** Calls the listener with each message, whatever its event. Joins the room, as {@link on} does. */
  onMessage(listener: (message: Message<E[keyof E]>) => void): Off {
    return this.#use(this.#messages.on("*", (message) => listener(message as Message<E[keyof E]>)));
  }

  /** Calls the listener whenever the room's state changes, and so when it was joined again. Does not join it. */
  onState(listener: (state: RoomState) => void): Off {
    return this.#states.on("state", listener);
  }

  /** Joins the room until {@link leave}; resolves when it is joined, fails if that is refused. */
  async join({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    this.#joins += 1;
    this.#hold();
    try {
      await this.#joined(signal);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  /** Takes one {@link join} back. */
  leave(): void {
    if (this.#joins === 0) return;
    this.#joins -= 1;
    this.#release();
  }

  /**
   * Publishes to the room; one need not have joined it. Waits in the outbox while there is no connection, and resolves
   * when the gateway has taken it.
   */
  publish<N extends keyof E & string>(event: N, data: E[N], options: PublishOptions = {}): Promise<Receipt> {
    return this.core.publish(this.name, event, data, options);
  }

  /** The messages that the room keeps: from the newest to the oldest, or with `after` from the oldest to the newest. */
  history(options: HistoryOptions = {}): AsyncGenerator<Message<E[keyof E]>, void, undefined> {
    const ask = this.core.askWhenConnected.bind(this.core);
    return readHistory(ask, this.name, options) as AsyncGenerator<Message<E[keyof E]>, void, undefined>;
  }

  /** Who is in the room, kept up to date until it is closed. Joins the room. */
  presence(): Presence {
    const presence: Presence = new Presence(this.#use(() => void this.#presences.delete(presence)));
    this.#presences.add(presence);
    if (this.#member.phase === "joined") this.#askPresence();
    return presence;
  }

  /** @internal Who holds it, for the panel. */
  get users(): number {
    return this.#users;
  }

  /** @internal */
  connected(): void {
    this.#do(this.#member.connected());
  }

  /** @internal */
  disconnected(): void {
    this.#member.disconnected();
    this.#changed();
  }

  /** @internal */
  over(reason: string): void {
    this.#member.over(reason);
    this.#changed();
  }

  /** @internal */
  message(message: Message): void {
    if (!this.#member.takes(message.meta)) return;
    const read = readMessage(message);
    this.#messages.emit(message.event, read);
    this.#messages.emit("*", read);
  }

  /** @internal */
  presenceChanged(change: PresenceChange): void {
    for (const presence of this.#presences) presence.changed(change);
  }

  /** @internal */
  revoked(reason: string): void {
    this.#member.revoked(reason);
    this.#changed();
  }

  #use(off: Off): Off {
    this.#hold();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      off();
      this.#release();
    };
  }

  #hold(): void {
    this.#users += 1;
    this.#stopLinger();
    const over = this.core.start();
    this.#do(this.#member.want(true));
    if (over !== undefined) this.over(over);
  }

  #release(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#stopLinger = this.core.clock.after(LINGER, () => this.#do(this.#member.want(false)));
  }

  #do(step: RoomStep | undefined): void {
    if (step) this.#stopTimer();
    this.#changed();
    if (step?.do === "join") this.#join(step);
    if (step?.do === "leave") this.core.call({ op: "leave", room: this.name }, () => {});
    if (step?.do === "wait") this.#stopTimer = this.core.clock.after(step.ms, () => this.#do(this.#member.waited()));
  }

  #join({ after, epoch }: { readonly after?: number; readonly epoch?: string }): void {
    this.#attempts += 1;
    const attempt = this.#attempts;
    const from = after === undefined ? {} : { after, epoch };
    this.core.call({ op: "join", room: this.name, ...from }, (answer) => {
      // It was left and joined again meanwhile, or is joined again once the connection is back.
      if (attempt !== this.#attempts || answer.error?.code === "disconnected") return;
      this.#do(this.#member.answered(answer, this.core.clock.random()));
      if (this.#member.phase === "joined") this.#askPresence();
    });
  }

  #askPresence(): void {
    if (this.#presences.size === 0) return;
    const asked = [...this.#presences];
    for (const presence of asked) presence.asked();
    this.core.call({ op: "presence", room: this.name }, ({ ok, error, ...answer }) => {
      if (ok) for (const presence of asked) presence.snapshot(answer as unknown as Snapshot);
      else if (error && passes(error.code) && error.code !== "disconnected") {
        this.core.clock.after(1_000, () => this.#askPresence());
      }
    });
  }

  #changed(): void {
    const { state } = this;
    const told = JSON.stringify(state);
    if (told === this.#told) return;
    this.#told = told;
    this.#states.emit("state", state);
    this.core.roomChanged();
  }

  #joined(signal?: AbortSignal): Promise<void> {
    const joined = () => {
      const { phase, reason } = this.#member;
      if (phase !== "unsubscribed") return phase === "joined";
      throw new SluiceError(reason, `the room ${this.name} could not be joined: ${reason}`);
    };
    return until(joined, (look) => this.onState(look), signal);
  }
}
