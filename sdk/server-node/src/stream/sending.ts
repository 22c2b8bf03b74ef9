/** A frame's number and payload, as it is to be sent now. */
export interface Outgoing {
  readonly seq: number;
  readonly payload: Buffer;
}

/** How long the first frame that was not acknowledged waits until it is sent again, in ms; doubled up to the second. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 2000;

/** The most bytes that are sent again before the other end says something: it may be slow rather than deaf. */
const AGAIN_BYTES = 64 * 1024;

/**
 * The sending end of one direction: cuts what is written into numbered frames, keeps them until they are acknowledged, and
 * sends them again where they are not. It reads no clock and sends nothing itself; times are milliseconds of any clock.
 */
export class Sending {
  private queue: Buffer[] = [];
  private queued = 0;
  private readonly frames: Outgoing[] = [];
  private underWay = 0;
  private last = 0;
  /** Index in `frames` of the next that is to be sent again; their number where none is. */
  private again = 0;
  private allowance = 0;
  private wait = FIRST_WAIT;
  private deadline = Number.POSITIVE_INFINITY;

  /** `frame` is the most bytes of a payload, `window` the most that are sent and not acknowledged. */
  constructor(private readonly limits: { readonly frame: number; readonly window: number }) {}

  write(bytes: Buffer): void {
    this.queue.push(bytes);
    this.queued += bytes.length;
  }

  /** The number of the last frame that was sent; 0 where none was. */
  get lastSeq(): number {
    return this.last;
  }

  /** The bytes that were written and not acknowledged. */
  get waiting(): number {
    return this.queued + this.underWay;
  }

  /** The other end has taken all frames up to this number. A number that was never sent is not believed. */
  acknowledged(taken: number, now: number): void {
    if (taken > this.last) return;
    let count = 0;
    while (count < this.frames.length && this.frames[count]!.seq <= taken) {
      this.underWay -= this.frames[count]!.payload.length;
      count++;
    }
    if (count === 0) return;
    this.frames.splice(0, count);
    this.again = Math.max(0, this.again - count);
    this.allowance = AGAIN_BYTES;
    this.wait = FIRST_WAIT;
    this.deadline = this.frames.length > 0 ? now + this.wait : Number.POSITIVE_INFINITY;
  }

  /** As `acknowledged`, and what was sent after that did not arrive. */
  missing(taken: number, now: number): void {
    this.acknowledged(taken, now);
    this.again = 0;
    this.allowance = AGAIN_BYTES;
  }

  /** What is to be sent now. */
  take(now: number): Outgoing[] {
    if (now >= this.deadline) {
      this.again = 0;
      this.allowance = AGAIN_BYTES;
      this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
      this.deadline = now + this.wait;
    }
    const taken: Outgoing[] = [];
    while (this.again < this.frames.length && this.allowance > 0) {
      const frame = this.frames[this.again++]!;
      this.allowance -= frame.payload.length;
      taken.push(frame);
    }
    while (this.again === this.frames.length && this.queued > 0 && this.underWay < this.limits.window) {
      taken.push(this.cut());
    }
    if (taken.length > 0 && this.deadline === Number.POSITIVE_INFINITY) this.deadline = now + this.wait;
    return taken;
  }

  /** When `take` has something to do although nothing was written or heard. */
  get due(): number {
    return this.deadline;
  }

  private cut(): Outgoing {
    const most = Math.min(this.limits.frame, this.limits.window - this.underWay);
    const pieces: Buffer[] = [];
    let [size, index] = [0, 0];
    for (; index < this.queue.length && size < most; index++) {
      const piece = this.queue[index]!;
      if (size + piece.length > most) {
        pieces.push(piece.subarray(0, most - size));
        this.queue[index] = piece.subarray(most - size);
        size = most;
        break;
      }
      pieces.push(piece);
      size += piece.length;
    }
    this.queue = index === this.queue.length ? [] : this.queue.slice(index);
    this.queued -= size;
    const frame = { seq: ++this.last, payload: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size) };
    this.frames.push(frame);
    this.again = this.frames.length;
    this.underWay += size;
    return frame;
  }
}
