/** What goes over the wire in the plain protocol (`sluice.v1.json`): docs/protocol.md. */

/** JSON, with bytes anywhere in it: they travel as attachments. */
export type Data = unknown;

/** What every message says of itself. */
export interface Meta {
  /** The room; not there for `direct` and `broadcast`. */
  readonly room?: string;
  /** The publishing user; not there for a backend and for a session without a token. */
  readonly from?: string;
  readonly id: string;
  /** Its place in the room's history, if the room has one. */
  readonly offset?: number;
  /** When the gateway took it, in milliseconds since 1970. */
  readonly time: number;
}

/** A message as a listener gets it. */
export interface Message<D = Data> {
  readonly event: string;
  readonly data: D;
  readonly meta: Meta;
}

/** A request as it is sent, without its id. */
export interface Request {
  readonly op: string;
  readonly [field: string]: unknown;
}

/** Why something was refused. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** An answer; what it has beside these depends on the operation. */
export interface Answer {
  readonly id?: unknown;
  readonly ok: boolean;
  readonly error?: Failure;
  readonly [field: string]: unknown;
}

/** An event: a message, or one of the gateway's own, which has no `meta`. */
export interface Push {
  readonly event: string;
  readonly data: unknown;
  readonly meta?: Meta;
  /** How far its reader is with it, over all rooms with history. */
  readonly offset?: string;
  readonly attachments?: readonly string[];
}

/** Whatever a gateway sends. */
export type Frame = Answer | Push;

export const isAnswer = (frame: Frame): frame is Answer => "ok" in frame;
