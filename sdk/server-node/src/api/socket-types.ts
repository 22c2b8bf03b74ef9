import type { Gateway } from "../link/gateway.js";

/** Why a socket has ended. */
export type DisconnectReason =
  | "transport error"
  | "transport close"
  | "forced close"
  | "ping timeout"
  | "parse error"
  | "server shutting down"
  | "forced server close"
  | "client namespace disconnect"
  | "server namespace disconnect";

/** The events that the library itself emits on a socket. */
export interface SocketEvents {
  /** The session is about to end; it is still in its rooms. */
  disconnecting: (reason: DisconnectReason, description?: any) => void;
  /** The session has ended. */
  disconnect: (reason: DisconnectReason, description?: any) => void;
  /** The session goes on at another instance, or was taken up anew here: end what was begun for this socket. */
  detach: () => void;
  error: (error: Error) => void;
}

/** An event as a client emitted it: its name and arguments. */
export type Event = [event: string, ...args: any[]];

/** Where a session is: the gateway that has it, and how that calls it. */
export interface Where {
  readonly gateway: Gateway;
  readonly handle: string;
}
