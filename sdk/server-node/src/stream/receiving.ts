/** How long an acknowledgement may wait for a frame that carries it, in ms. */
const ACKNOWLEDGE_WITHIN = 100;

/** How long after one `N` the next may follow, in ms. */
const MISSING_EVERY = 100;

/** The receiving end of one direction: takes frames in their order, and knows what is to be said of them, and when. */
export class Receiving {
  private last = 0;
  private unsaid = 0;
  private acknowledgeAt = Number.POSITIVE_INFINITY;
  private missingAt = Number.POSITIVE_INFINITY;
  private lastMissing = Number.NEGATIVE_INFINITY;

  /** `window` is the most bytes that the other end has under way. */
  constructor(private readonly window: number) {}

  /** The number of the last frame that was received in order. */
  get taken(): number {
    return this.last;
  }

  /** Whether this frame is the next. One that is not is to be dropped. */
  receive(seq: number, bytes: number, now: number): boolean {
    if (seq <= this.last) {
      this.acknowledgeAt = now;
      return false;
    }
    if (seq > this.last + 1) {
      this.heardOf(seq, now);
      return false;
    }
    this.last = seq;
    this.missingAt = Number.POSITIVE_INFINITY;
    this.unsaid += bytes;
    const within = this.unsaid >= this.window / 4 ? 0 : ACKNOWLEDGE_WITHIN;
    this.acknowledgeAt = Math.min(this.acknowledgeAt, now + within);
    return true;
  }

  /** The other end says that it has sent frames up to this number. */
  heardOf(seq: number, now: number): void {
    if (seq <= this.last) return;
    this.missingAt = Math.min(this.missingAt, Math.max(now, this.lastMissing + MISSING_EVERY));
  }

  /** What is to be said now although nothing is sent. Whatever is said carries `taken`; see `said`. */
  answer(now: number): "A" | "N" | undefined {
    if (now >= this.missingAt) {
      this.lastMissing = now;
      this.missingAt = Number.POSITIVE_INFINITY;
      return "N";
    }
    return now >= this.acknowledgeAt ? "A" : undefined;
  }

  /** A frame that carries `taken` is sent. */
  said(): void {
    this.unsaid = 0;
    this.acknowledgeAt = Number.POSITIVE_INFINITY;
  }

  /** When `answer` has something to say. */
  get due(): number {
    return Math.min(this.acknowledgeAt, this.missingAt);
  }
}
