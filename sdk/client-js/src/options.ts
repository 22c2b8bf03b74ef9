import { type Clock, systemClock } from "./clock.js";
import { OUTBOX_LIMITS, type OutboxLimits } from "./core/outbox.js";
import type { OutboxStore } from "./sender.js";
import type { GetToken } from "./tokens.js";
import type { Transport } from "./transport/transport.js";
import { type WebSocketClass, webSocket } from "./transport/websocket.js";

/** What a client can be given. */
export interface ClientOptions {
  /** The way to a token; without it the client connects without one. */
  readonly getToken?: GetToken;
  /** The Socket.IO namespace, `/` unless given: rooms belong to one. */
  readonly namespace?: string;
  /** Any JSON for the backend, where it is told of connects. */
  readonly auth?: unknown;
  /** The bounds of the outbox, and where it is kept over a reload. */
  readonly outbox?: Partial<OutboxLimits> & { readonly store?: OutboxStore };
  /** The WebSocket to use, where there is none by itself, as in Node.js 20: that of the package `ws`. */
  readonly WebSocket?: WebSocketClass;
  /** The way for networks that let no WebSocket through: that of `@sluice/client/socketio`. */
  readonly fallback?: Transport;
  /** For tests of the application. */
  readonly clock?: Clock;
  /** For tests of the application: what is used in place of a WebSocket. */
  readonly transport?: Transport;
}

export const clockOf = (options: ClientOptions): Clock => options.clock ?? systemClock;

export const outboxLimits = ({ outbox = {} }: ClientOptions): OutboxLimits => ({
  items: outbox.items ?? OUTBOX_LIMITS.items,
  bytes: outbox.bytes ?? OUTBOX_LIMITS.bytes,
  age: outbox.age ?? OUTBOX_LIMITS.age,
});

export function transportOf(options: ClientOptions): Transport {
  if (options.transport) return options.transport;
  const Class = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
  if (!Class)
    throw new TypeError(
      "there is no WebSocket here; pass one: new Client(url, { WebSocket }), for example from the package ws",
    );
  return webSocket(Class);
}
