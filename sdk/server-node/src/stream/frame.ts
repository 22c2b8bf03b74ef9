/**
 * What a frame is: `D` a piece of the stream, `A` an acknowledgement, `N` as that and what follows is missing, `R` there is
 * no such stream.
 */
export type FrameKind = "D" | "A" | "N" | "R";

/** One message of a stream: `<kind> <sender> <stream> <seq> <taken>\n<payload>`. */
export interface Frame {
  readonly kind: FrameKind;
  /** An instance's id or a gateway's number. */
  readonly sender: string;
  readonly stream: number;
  /** Of a `D` its number, of others that of the last `D` that was sent. */
  readonly seq: number;
  /** The number of the last frame of the other direction that was received in order. */
  readonly taken: number;
  readonly payload: Buffer;
}

/** The most bytes that a frame may have, where NATS takes that much. */
export const FRAME_BYTES = 256 * 1024;

/** The most bytes that a frame's line has: kind, sender, and three numbers below 2⁵³. */
export const FRAME_LINE_BYTES = 1 + 1 + 32 + 3 * 17 + 1;

const NOTHING = Buffer.alloc(0);
const LINE = /^([DANR]) ([A-Za-z0-9]{1,32}) (\d{1,16}) (\d{1,16}) (\d{1,16})$/;

export function encodeFrame(frame: Frame): Buffer {
  const line = `${frame.kind} ${frame.sender} ${frame.stream} ${frame.seq} ${frame.taken}\n`;
  if (frame.payload.length === 0) return Buffer.from(line, "latin1");
  const bytes = Buffer.allocUnsafe(line.length + frame.payload.length);
  bytes.write(line, "latin1");
  frame.payload.copy(bytes, line.length);
  return bytes;
}

/** Reads a message, or says `undefined` of what is no frame. The payload shares the message's memory. */
export function decodeFrame(message: Uint8Array): Frame | undefined {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const end = bytes.subarray(0, FRAME_LINE_BYTES).indexOf(10);
  if (end < 0) return undefined;
  const match = LINE.exec(bytes.toString("latin1", 0, end));
  if (!match) return undefined;
  const [stream, seq, taken] = [Number(match[3]), Number(match[4]), Number(match[5])];
  if (![stream, seq, taken].every(Number.isSafeInteger)) return undefined;
  const payload = end + 1 < bytes.length ? bytes.subarray(end + 1) : NOTHING;
  return { kind: match[1] as FrameKind, sender: match[2]!, stream, seq, taken, payload };
}
