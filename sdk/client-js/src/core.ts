import type { Clock } from "./clock.js";
import type { Answer, Data, Request } from "./core/wire.js";
import type { Answered } from "./requests.js";
import type { Receipt } from "./sender.js";

/** How a publication is sent. */
export interface PublishOptions {
  /** The message's id; the client makes one unless given. The same id again is stored once. */
  readonly id?: string;
  /** Whether a publisher who is a member gets it too; `true` unless given. */
  readonly echo?: boolean;
  /** Takes it out of the outbox; where it was sent already, it fails as `in_doubt`. */
  readonly signal?: AbortSignal;
}

/** What rooms need of their client. */
export interface Core {
  readonly clock: Clock;
  /** Connects, unless the client has disconnected: then it says why, and waits for `connect()`. */
  start(): string | undefined;
  /** Sends a request; `answered` hears the answer before anything that came behind it is told. */
  call(request: Request, answered: Answered): void;
  askWhenConnected(request: Request, signal?: AbortSignal): Promise<Answer>;
  publish(room: string, event: string, data: Data, options: PublishOptions): Promise<Receipt>;
  /** A room's state has changed. */
  roomChanged(): void;
}
