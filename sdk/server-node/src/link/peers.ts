import { type InstanceBeat, parseInstanceBeat } from "./beats/beat.js";

/** After how long without a beat an instance is taken for dead, in ms. */
const SILENCE = 2500;

/** The other instances of the application, as their beats tell of them. */
export class Peers {
  private readonly heard = new Map<string, number>();

  constructor(private readonly own: string) {}

  beat(bytes: Uint8Array, now: number): void {
    const beat: InstanceBeat | undefined = parseInstanceBeat(bytes);
    if (!beat || beat.instance === this.own) return;
    if (beat.bye || beat.leaving) this.heard.delete(beat.instance);
    else this.heard.set(beat.instance, now);
  }

  /** Those that are there and stay. */
  alive(now: number): string[] {
    for (const [instance, at] of this.heard) if (now - at > SILENCE) this.heard.delete(instance);
    return [...this.heard.keys()];
  }
}
