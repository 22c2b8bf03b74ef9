import type { Core } from "../core/core.js";
import type { Mirror } from "../core/mirror.js";

/** An attached session, as far as operations on many of them go. */
export interface Member {
  readonly id: string;
  join(rooms: string | string[]): unknown;
  leave(room: string): unknown;
  disconnect(close?: boolean): unknown;
  /** Rooms change at the gateway too, by what was said to all gateways; here they change at once. */
  mirrorJoin(rooms: string[]): void;
  mirrorLeave(rooms: string[]): void;
  /** It is disconnected by what was said to all gateways. */
  ended(reason: string): void;
  notifyOutgoing(args: readonly unknown[]): void;
}

/** One namespace, as far as operations on many of its sessions go. */
export interface Scoped {
  readonly name: string;
  readonly adapter: Mirror;
  readonly sockets: ReadonlyMap<string, Member>;
  /** How many attached sessions have listeners for what is emitted to them. */
  readonly outgoingListeners: { count: number };
}

/** What an operation reaches: a namespace, or all that a dynamic one has. */
export interface Scope {
  readonly core: Core;
  scoped(): Iterable<Scoped>;
}

/** Names that have a meaning of their own: nobody may emit them. */
export const RESERVED_EVENTS: ReadonlySet<string | symbol> = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

export function refuseReserved(name: string | symbol): void {
  if (RESERVED_EVENTS.has(name)) throw new Error(`"${String(name)}" is a reserved event name`);
}
