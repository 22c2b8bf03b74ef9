import { type Entry, LINE_BYTES, MalformedEntry } from "./entry.js";

const LINE_FEED = 10;

/** The most bytes that the bodies of one entry may announce: far above what a gateway lets a client send. */
const BODY_BYTES = 128 * 1024 * 1024;

/** Bodies that have not arrived completely, as they are gathered. */
interface Pending {
  readonly kind: string;
  readonly fields: string[];
  readonly lengths: number[];
  /** How many bytes all bodies have together. */
  readonly total: number;
  readonly pieces: Buffer[];
  gathered: number;
}

/** Reads the entries of a stream whose bytes arrive in pieces of any size. */
export class EntryReader {
  private line: Buffer | undefined;
  private pending: Pending | undefined;

  /** The entries that end in this piece. Throws `MalformedEntry`, after which this reader is of no use. */
  read(piece: Buffer): Entry[] {
    const entries: Entry[] = [];
    let at = 0;
    while (at < piece.length || this.isComplete()) {
      if (!this.pending) {
        const end = piece.indexOf(LINE_FEED, at);
        if (end < 0) {
          this.keepLine(piece.subarray(at));
          return entries;
        }
        this.pending = parseLine(this.takeLine(piece.subarray(at, end)));
        at = end + 1;
      }
      at = this.gather(this.pending, piece, at);
      if (this.isComplete()) entries.push(this.finish());
    }
    return entries;
  }

  private isComplete(): boolean {
    return this.pending !== undefined && this.pending.gathered === this.pending.total;
  }

  private gather(pending: Pending, piece: Buffer, at: number): number {
    const end = Math.min(piece.length, at + pending.total - pending.gathered);
    if (end > at) pending.pieces.push(piece.subarray(at, end));
    pending.gathered += end - at;
    return end;
  }

  private finish(): Entry {
    const { kind, fields, lengths, pieces } = this.pending!;
    this.pending = undefined;
    const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    let at = 0;
    const bodies = lengths.map((length) => {
      const from = at;
      at += length;
      return bytes.subarray(from, at);
    });
    return { kind, fields, bodies };
  }

  private keepLine(piece: Buffer): void {
    this.line = this.line ? Buffer.concat([this.line, piece]) : Buffer.from(piece);
    if (this.line.length > LINE_BYTES) throw tooLong();
  }

  private takeLine(piece: Buffer): string {
    const line = this.line ? Buffer.concat([this.line, piece]) : piece;
    this.line = undefined;
    if (line.length > LINE_BYTES) throw tooLong();
    return line.toString();
  }
}

function tooLong(): MalformedEntry {
  return new MalformedEntry(`The line of an entry has more than ${LINE_BYTES} bytes.`);
}

function parseLine(line: string): Pending {
  const [kind, lengthsText, ...fields] = line.split(" ");
  if (!kind || !lengthsText) throw new MalformedEntry(`An entry begins with a kind and lengths, not with: ${line}`);
  const lengths = lengthsText === "-" ? [] : lengthsText.split(",").map(parseLength);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total > BODY_BYTES) throw new MalformedEntry(`An entry announces ${total} bytes, more than ${BODY_BYTES}.`);
  return { kind, fields, lengths, total, pieces: [], gathered: 0 };
}

function parseLength(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new MalformedEntry(`The length of a body is a decimal number, not: ${text}`);
  return Number(text);
}
