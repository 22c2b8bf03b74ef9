import type { Clock } from "./clock.js";
import { type Gate, type Item, Outbox, type OutboxLimits } from "./core/outbox.js";
import type { Answer, Request } from "./core/wire.js";
import { SluiceError } from "./errors.js";

/** Keeps publications over a reload: see `@sluice/client/store`. */
export interface OutboxStore {
  /**
   * Calls `found` with what is kept, in the order in which it was published, and resolves; may call it again later, with
   * what another page has left behind.
   */
  open(found: (items: readonly Item[]) => void): Promise<void>;
  /** Keeps an item, or what has changed of it. */
  put(item: Item): Promise<void>;
  remove(id: string): Promise<void>;
}

/** What the gateway has said of a publication that it took. */
export interface Receipt {
  readonly id: string;
  /** Its place in the room's history, if the room has one. */
  readonly offset?: number;
}

/** What became of a publication. */
export type Settled =
  | { readonly item: Item; readonly receipt: Receipt; readonly error?: undefined }
  | { readonly item: Item; readonly error: SluiceError; readonly receipt?: undefined };

interface Promised {
  resolve(receipt: Receipt): void;
  reject(error: unknown): void;
}

/** What the sender needs of the client. */
export interface Post {
  readonly gate: Gate;
  ask(request: Request): Promise<Answer>;
  /** Any publication that was answered, refused or has failed, those from before a reload too. */
  settled(settled: Settled): void;
  /** What waits has changed. */
  changed(): void;
}

/** Sends what the outbox decides, and tells everybody what became of it. */
export class Sender {
  readonly outbox: Outbox;
  readonly #promised = new Map<string, Promised>();
  readonly #opened: Promise<void>;
  #stopTimer = () => {};

  constructor(
    limits: OutboxLimits,
    private readonly store: OutboxStore | undefined,
    private readonly clock: Clock,
    private readonly post: Post,
  ) {
    this.outbox = new Outbox(limits);
    this.#opened = Promise.resolve().then(() => store?.open((items) => this.#found(items)));
    // Whoever publishes is told; who does not, loses nothing by it.
    this.#opened.catch(() => {});
  }

  /** Resolves when the gateway has taken it. */
  async publish(item: Item, signal?: AbortSignal): Promise<Receipt> {
    signal?.throwIfAborted();
    if (this.store) await this.#opened;
    const refusal = this.outbox.add(item);
    if (refusal) throw refusal;
    const receipt = new Promise<Receipt>((resolve, reject) => this.#promised.set(item.id, { resolve, reject }));
    const abort = () => this.#abort(item, signal);
    signal?.addEventListener("abort", abort);
    try {
      await this.store?.put(item);
      this.turn();
      return await receipt;
    } catch (error) {
      this.outbox.settle(item.id, item.room);
      throw error;
    } finally {
      signal?.removeEventListener("abort", abort);
      this.#promised.delete(item.id);
    }
  }

  /** Sends what can be sent. To be called whenever that may have changed. */
  turn(): void {
    const now = this.clock.now();
    const { send, failed, at } = this.outbox.turn(now, this.post.gate);
    for (const { item, error } of failed) this.#settled({ item, error });
    for (const item of send) void this.#send(item);
    this.#stopTimer();
    if (at !== undefined) this.#stopTimer = this.clock.after(at - now, () => this.turn());
    this.post.changed();
  }

  /** The connection has ended, perhaps because a message was too large. */
  disconnected(tooLarge: boolean): void {
    for (const { item, error } of this.outbox.disconnected(tooLarge)) this.#settled({ item, error });
    this.turn();
  }

  #found(items: readonly Item[]): void {
    for (const item of items) this.outbox.restore(item);
    this.turn();
  }

  async #send(item: Item): Promise<void> {
    const { id, room, event, data, echo, attachments } = item;
    try {
      // That it was sent must be known after a reload, whatever becomes of it.
      await this.store?.put(item);
      const more = attachments ? { attachments } : {};
      const answer = await this.post.ask({ op: "publish", room, event, data, messageId: id, echo, ...more });
      const receipt = { id, ...(typeof answer.offset === "number" ? { offset: answer.offset } : {}) };
      if (this.outbox.settle(id, room)) this.#settled({ item, receipt });
    } catch (error) {
      this.#refused(
        item,
        error instanceof SluiceError
          ? error
          : new SluiceError("store_failed", "the outbox's store failed", { cause: error }),
      );
    }
    this.turn();
  }

  #refused(item: Item, error: SluiceError): void {
    // The outbox itself was told of the lost connection.
    if (error.code === "disconnected") return;
    if (this.outbox.refused(item, error.code, this.clock.now(), this.clock.random())) return;
    if (this.outbox.settle(item.id, item.room)) this.#settled({ item, error });
  }

  #settled(settled: Settled): void {
    const { item, receipt, error } = settled;
    void this.store?.remove(item.id).catch(() => {});
    const promised = this.#promised.get(item.id);
    if (receipt) promised?.resolve(receipt);
    else promised?.reject(error);
    this.post.settled(settled);
  }

  #abort(item: Item, signal: AbortSignal | undefined): void {
    if (!this.outbox.settle(item.id, item.room)) return;
    void this.store?.remove(item.id).catch(() => {});
    const message = "it was aborted after it was sent; it may have been taken";
    const sent = item.sent !== undefined;
    this.#promised
      .get(item.id)
      ?.reject(sent ? new SluiceError("in_doubt", message, { cause: signal?.reason }) : signal?.reason);
    this.turn();
  }
}
