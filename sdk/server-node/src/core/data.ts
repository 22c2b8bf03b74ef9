/** A session's data as it is kept for the next instance. */
export interface Keeps {
  /** Says the data to the gateway, where it has changed since it was last said. */
  flushData(): void;
}

/** How often data is compared that was looked at before, in ms; and of how many sessions at once. */
const SWEEP_EVERY = 1000;
const SWEEP = 1000;

/**
 * Finds out what has changed in sessions' data, which are plain objects: those that were looked at in this tick of the
 * loop are compared at its end, and those that were looked at before in turns, since a program may hold on to them.
 */
export class DataKeeper {
  private touched = new Set<Keeps>();
  private readonly known = new Set<Keeps>();
  private readonly timer = setInterval(() => this.sweep(), SWEEP_EVERY).unref();

  constructor(private readonly wake: () => void) {}

  touch(session: Keeps): void {
    if (this.touched.size === 0) this.wake();
    this.touched.add(session);
  }

  /** The session has ended or is another instance's. */
  forget(session: Keeps): void {
    this.touched.delete(session);
    this.known.delete(session);
  }

  flush(): void {
    if (this.touched.size === 0) return;
    const { touched } = this;
    this.touched = new Set();
    for (const session of touched) {
      session.flushData();
      this.known.add(session);
    }
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private sweep(): void {
    const some = firstOf(this.known, SWEEP);
    for (const session of some) {
      this.known.delete(session);
      this.known.add(session);
      session.flushData();
    }
  }
}

function firstOf<Item>(items: Set<Item>, count: number): Item[] {
  const first: Item[] = [];
  for (const item of items) {
    if (first.length === count) break;
    first.push(item);
  }
  return first;
}
