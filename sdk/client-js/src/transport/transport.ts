import type { Frame, Request } from "../core/wire.js";

/** What a transport tells the client; after `closed` it tells no more. */
export interface Listener {
  /** The way is open: the first request may be sent. */
  opened(): void;
  frame(frame: Frame): void;
  /** Something came that is no frame, such as a ping. */
  heard(): void;
  /** `retryAfter`: what an HTTP answer asked for, in milliseconds. */
  closed(code: number, reason: string, retryAfter?: number): void;
}

/** One way to a gateway, open or opening. */
export interface Link {
  send(id: number, request: Request): void;
  /** Ends it, and the session with it (`done`), or leaves the session to be recovered; the listener hears nothing any more. */
  close(how: "done" | "given-up"): void;
  /** Whether its silence means nothing, as it has a heartbeat of its own. */
  readonly hasHeartbeat?: boolean;
}

/** Opens ways to a gateway. */
export interface Transport {
  readonly name: string;
  open(url: string, listener: Listener): Link;
}
