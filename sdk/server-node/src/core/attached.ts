import type { Gateway } from "../link/gateway.js";

/** A session that is attached to this instance, or asks for it, as gateways speak to it. */
export interface Session {
  event(args: unknown[], question: string | undefined, repeated: boolean): void;
  roomsChanged(joined: string[], left: string[]): void;
  dataChanged(data: Record<string, any>, rev: number): void;
  /** Its connection goes on over another transport. */
  upgraded(transport: string): void;
  /** Its client sent what cannot be read. */
  malformed(message: string): void;
  /** The session has ended, or does not wait any more. */
  gone(reason: string, cause: string | undefined): void;
  /** It goes to another instance once this one says `released`. */
  fence(): void;
  /** It is attached to another instance now, and has not ended. */
  detach(): void;
}

/** The sessions that are attached through each gateway, by the handles that these call them by. */
export class Attached {
  private readonly all = new Map<Gateway, Map<string, Session>>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  get(gateway: Gateway, handle: string): Session | undefined {
    return this.all.get(gateway)?.get(handle);
  }

  add(gateway: Gateway, handle: string, session: Session): void {
    let sessions = this.all.get(gateway);
    if (!sessions) {
      sessions = new Map();
      this.all.set(gateway, sessions);
    }
    if (!sessions.has(handle)) this.count++;
    sessions.set(handle, session);
  }

  remove(gateway: Gateway, handle: string): void {
    const sessions = this.all.get(gateway);
    if (!sessions?.delete(handle)) return;
    this.count--;
    if (sessions.size === 0) this.all.delete(gateway);
  }

  /** All of one gateway, which are then forgotten. */
  take(gateway: Gateway): Session[] {
    const sessions = [...(this.all.get(gateway)?.values() ?? [])];
    this.count -= sessions.length;
    this.all.delete(gateway);
    return sessions;
  }
}
