import { decodeFrame } from "../stream/frame.js";
import { type GatewayBeat, parseGatewayBeat } from "./beats/beat.js";
import { Gateway, type GatewayPort } from "./gateway.js";

/** After how long without a beat a gateway is taken for gone, in ms, while this process and NATS hear each other. */
const SILENCE = 6000;

/** The gateways that are heard, and the frames that come from them. */
export class Gateways {
  private readonly all = new Map<string, Gateway>();
  private readonly awake = new Set<Gateway>();
  /** Gateways that have said that they end: their ids do not come again. */
  private readonly ended = new Set<string>();

  constructor(
    private readonly port: GatewayPort,
    private readonly events: { gone(gateway: Gateway): void },
  ) {}

  /** Those with a stream. */
  *open(): Generator<Gateway> {
    for (const gateway of this.all.values()) if (gateway.isOpen) yield gateway;
  }

  get size(): number {
    return this.all.size;
  }

  beat(bytes: Uint8Array, now: number): void {
    const beat = parseGatewayBeat(bytes);
    if (!beat || this.ended.has(beat.gateway)) return;
    const known = this.all.get(beat.gateway);
    if (beat.bye) {
      this.ended.add(beat.gateway);
      if (known) this.remove(known);
      return;
    }
    const gateway = known ?? this.add(beat, now);
    gateway.heard(now);
  }

  frame(bytes: Uint8Array, now: number): void {
    const frame = decodeFrame(bytes);
    // Of one that was never heard nothing can be said: it has no stream here, and its beat will open one.
    if (frame) this.all.get(frame.sender)?.hear(frame, now);
  }

  /** Sends what those have to send that said or heard something. */
  pumpAwake(now: number): void {
    const awake = [...this.awake];
    this.awake.clear();
    for (const gateway of awake) gateway.pump(now);
  }

  /** Sends what time has made due. */
  pumpDue(now: number): void {
    for (const gateway of this.all.values()) if (gateway.due <= now) gateway.pump(now);
  }

  /** Lets go of those that are silent, where `soundSince` says since when beats would have been heard. */
  forgetSilent(now: number, soundSince: number): void {
    for (const gateway of this.all.values()) {
      if (now - Math.max(gateway.heardAt, soundSince) > SILENCE) this.remove(gateway);
    }
  }

  /** This one has something to send. */
  wake(gateway: Gateway): void {
    this.awake.add(gateway);
  }

  private add(beat: GatewayBeat, now: number): Gateway {
    const gateway = new Gateway(beat, this.port, now);
    this.all.set(gateway.id, gateway);
    return gateway;
  }

  private remove(gateway: Gateway): void {
    this.all.delete(gateway.id);
    this.awake.delete(gateway);
    this.events.gone(gateway);
  }
}
