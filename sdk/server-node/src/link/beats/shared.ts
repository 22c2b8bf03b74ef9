/** What the main thread tells the thread of the beats through memory that both have: it need not run to be asked. */
export class Shared {
  private readonly clock: BigInt64Array;
  private readonly state: Int32Array;

  constructor(readonly memory = new SharedArrayBuffer(16)) {
    this.clock = new BigInt64Array(memory, 0, 1);
    this.state = new Int32Array(memory, 8, 2);
  }

  /** The main loop has run at this time. */
  ran(now: number): void {
    Atomics.store(this.clock, 0, BigInt(now));
  }

  /** Milliseconds since the main loop last ran. */
  since(now: number): number {
    return Math.max(0, now - Number(Atomics.load(this.clock, 0)));
  }

  get sessions(): number {
    return Atomics.load(this.state, 0);
  }

  set sessions(count: number) {
    Atomics.store(this.state, 0, count);
  }

  get leaving(): boolean {
    return Atomics.load(this.state, 1) === 1;
  }

  set leaving(leaving: boolean) {
    Atomics.store(this.state, 1, leaving ? 1 : 0);
  }
}
