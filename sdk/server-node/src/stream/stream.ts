import type { Frame, FrameKind } from "./frame.js";
import { Receiving } from "./receiving.js";
import { Sending } from "./sending.js";

/** The most bytes under way to a gateway, and from one: sent and not acknowledged. */
export const TO_GATEWAY_BYTES = 4 * 1024 * 1024;
export const FROM_GATEWAY_BYTES = 1024 * 1024;

export interface StreamOptions {
  /** Who sends: an instance's id or a gateway's number. */
  readonly sender: string;
  /** The stream's number, which the instance chooses. */
  readonly number: number;
  /** The most bytes of a frame's payload. */
  readonly frame: number;
  /** The most bytes under way to the other end, and from it. */
  readonly window: { readonly to: number; readonly from: number };
}

const NOTHING = Buffer.alloc(0);

/**
 * One end of the stream of a pair: what is written here is read there, whole, once and in order, whatever becomes of single
 * frames. It reads no clock and sends nothing itself: whoever has it gives it the frames that arrive, and sends those that
 * `frames` says.
 */
export class Stream {
  private readonly sending: Sending;
  private readonly receiving: Receiving;

  constructor(private readonly options: StreamOptions) {
    this.sending = new Sending({ frame: options.frame, window: options.window.to });
    this.receiving = new Receiving(options.window.from);
  }

  get number(): number {
    return this.options.number;
  }

  /** The bytes that were written and are not acknowledged. */
  get waiting(): number {
    return this.sending.waiting;
  }

  write(bytes: Buffer): void {
    this.sending.write(bytes);
  }

  /** Takes a frame of this stream that is no `R`. The next piece of what the other end wrote, if this frame has it. */
  hear(frame: Frame, now: number): Buffer | undefined {
    if (frame.kind === "N") this.sending.missing(frame.taken, now);
    else this.sending.acknowledged(frame.taken, now);
    if (frame.kind === "D") {
      return this.receiving.receive(frame.seq, frame.payload.length, now) ? frame.payload : undefined;
    }
    this.receiving.heardOf(frame.seq, now);
    return undefined;
  }

  /** The frames that are to be sent now. */
  frames(now: number): Frame[] {
    const answer = this.receiving.answer(now);
    const outgoing = this.sending.take(now);
    const frames = outgoing.map(({ seq, payload }) => this.frame("D", seq, payload));
    // A frame of data acknowledges too, but does not say that something is missing.
    if (answer === "N" || (answer === "A" && frames.length === 0)) {
      frames.push(this.frame(answer, this.sending.lastSeq, NOTHING));
    }
    if (frames.length > 0) this.receiving.said();
    return frames;
  }

  /** When `frames` has something although nothing was written or heard; infinite where that is never. */
  get due(): number {
    return Math.min(this.sending.due, this.receiving.due);
  }

  private frame(kind: FrameKind, seq: number, payload: Buffer): Frame {
    const { sender, number } = this.options;
    return { kind, sender, stream: number, seq, taken: this.receiving.taken, payload };
  }
}
