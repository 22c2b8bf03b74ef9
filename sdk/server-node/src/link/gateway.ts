import { type Entry, encodeEntry } from "../stream/entry.js";
import { EntryReader } from "../stream/entry-reader.js";
import { encodeFrame, type Frame } from "../stream/frame.js";
import { FROM_GATEWAY_BYTES, Stream, TO_GATEWAY_BYTES } from "../stream/stream.js";
import { type GatewayBeat, parseObject } from "./beats/beat.js";

/** What a gateway needs of the link that it belongs to. */
export interface GatewayPort {
  /** The instance's id. */
  readonly sender: string;
  /** The most bytes of a frame's payload. */
  readonly frame: number;
  readonly hello: string;
  publish(gateway: string, message: Buffer): void;
  /** Something is to be sent before the loop goes on. */
  wake(gateway: Gateway): void;
  entry(gateway: Gateway, entry: Entry): void;
  /** The stream has ended, and with it all that was attached through it. */
  reset(gateway: Gateway): void;
  refused(gateway: Gateway, code: string, message: string): void;
}

/** How long a gateway that refused this instance is not asked again, in ms. */
const REFUSED_FOR = 10_000;

/** One gateway of the cluster, and this instance's stream to it. */
export class Gateway {
  readonly id: string;
  readonly zone: string | undefined;
  /** When its last beat was heard. */
  heardAt: number;
  /** The most bytes of an event that it takes, once it has said so. */
  payloadBytes: number | undefined;
  private stream: Stream | undefined;
  private reader = new EntryReader();
  private number = 0;
  private notBefore = 0;

  constructor(
    beat: GatewayBeat,
    private readonly port: GatewayPort,
    now: number,
  ) {
    this.id = beat.gateway;
    this.zone = beat.zone;
    this.heardAt = now;
  }

  /** Whether what is said now reaches it. */
  get isOpen(): boolean {
    return this.stream !== undefined;
  }

  /** The bytes that were said and are not acknowledged. */
  get waiting(): number {
    return this.stream?.waiting ?? 0;
  }

  /** A beat of it was heard: where there is no stream, one is opened. */
  heard(now: number): void {
    this.heardAt = now;
    if (this.stream || now < this.notBefore) return;
    this.stream = new Stream({
      sender: this.port.sender,
      number: ++this.number,
      frame: this.port.frame,
      window: { to: TO_GATEWAY_BYTES, from: FROM_GATEWAY_BYTES },
    });
    this.reader = new EntryReader();
    this.say("hello", [], [this.port.hello]);
  }

  /** Says an entry, where there is a stream. */
  say(
    kind: string,
    fields: readonly (string | number | undefined)[],
    texts: readonly string[] = [],
    blobs: readonly Uint8Array[] = [],
  ): void {
    if (this.stream) this.write(encodeEntry(kind, fields, texts, blobs));
  }

  /** Says an entry that is encoded already. */
  write(entry: Buffer): void {
    if (!this.stream) return;
    this.stream.write(entry);
    this.port.wake(this);
  }

  /** Takes a frame that the gateway sent. */
  hear(frame: Frame, now: number): void {
    if (!this.stream || frame.stream !== this.stream.number) {
      if (frame.kind !== "R") this.deny(frame.stream);
      return;
    }
    if (frame.kind === "R") {
      this.end();
      return;
    }
    const piece = this.stream.hear(frame, now);
    if (piece) this.read(piece);
    this.port.wake(this);
  }

  /** Sends what is to be sent now. */
  pump(now: number): void {
    if (!this.stream) return;
    for (const frame of this.stream.frames(now)) this.port.publish(this.id, encodeFrame(frame));
  }

  /** When `pump` has something to send although nothing was said or heard. */
  get due(): number {
    return this.stream?.due ?? Number.POSITIVE_INFINITY;
  }

  /** Ends the stream on this side. */
  end(): void {
    if (!this.stream) return;
    this.stream = undefined;
    this.port.reset(this);
  }

  private read(piece: Buffer): void {
    let entries: Entry[];
    try {
      entries = this.reader.read(piece);
    } catch {
      this.deny(this.number);
      this.end();
      return;
    }
    for (const entry of entries) {
      if (!this.stream) return;
      if (entry.kind === "welcome") this.welcomed(entry);
      else this.port.entry(this, entry);
    }
  }

  private welcomed(entry: Entry): void {
    const welcome = parseObject(entry.bodies[0] ?? Buffer.alloc(0));
    const refused = welcome?.refused as { code?: unknown; message?: unknown } | undefined;
    if (refused) {
      this.notBefore = this.heardAt + REFUSED_FOR;
      this.end();
      this.port.refused(this, String(refused.code), String(refused.message));
      return;
    }
    const limits = welcome?.limits as { payloadBytes?: unknown } | undefined;
    if (typeof limits?.payloadBytes === "number") this.payloadBytes = limits.payloadBytes;
  }

  private deny(stream: number): void {
    const frame: Frame = { kind: "R", sender: this.port.sender, stream, seq: 0, taken: 0, payload: Buffer.alloc(0) };
    this.port.publish(this.id, encodeFrame(frame));
  }
}
