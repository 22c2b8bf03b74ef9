import { Emitter, type Off } from "./emitter.js";

/** What the gateway answers to `presence`. */
export interface Snapshot {
  readonly users: readonly string[];
  readonly count: number;
}

/** What the gateway pushes where a Room announces presence. */
export interface PresenceChange {
  readonly room: string;
  readonly joined: readonly string[];
  readonly left: readonly string[];
}

/**
 * Who is in a room, kept up to date: a snapshot, then those who come and go. Beyond 1000 users `users` has a part of
 * them, and `count` counts all.
 */
export class Presence {
  readonly #users = new Set<string>();
  readonly #events = new Emitter<{ change: Presence }>();
  #count = 0;
  /** Changes that came while a snapshot was asked for. */
  #early: PresenceChange[] | undefined;
  #close: Off;

  /** @internal */
  constructor(close: Off) {
    this.#close = close;
  }

  get users(): readonly string[] {
    return [...this.#users].sort();
  }

  get count(): number {
    return this.#count;
  }

  /** Calls the listener after each change. */
  onChange(listener: (presence: Presence) => void): Off {
    return this.#events.on("change", listener);
  }

  /** Ends it: nothing changes any more, and the room is left if nothing else holds it. */
  close(): void {
    this.#close();
    this.#close = () => {};
  }

  /** @internal A snapshot is asked for. */
  asked(): void {
    this.#early ??= [];
  }

  /** @internal */
  snapshot({ users, count }: Snapshot): void {
    this.#users.clear();
    for (const user of users) this.#users.add(user);
    this.#count = count;
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const change of early) this.#apply(change);
    this.#events.emit("change", this);
  }

  /** @internal */
  changed(change: PresenceChange): void {
    if (this.#early) this.#early.push(change);
    else {
      this.#apply(change);
      this.#events.emit("change", this);
    }
  }

  #apply({ joined, left }: PresenceChange): void {
    for (const user of left) if (this.#users.delete(user)) this.#count -= 1;
    for (const user of joined) {
      if (this.#users.has(user)) continue;
      this.#users.add(user);
      this.#count += 1;
    }
  }
}
