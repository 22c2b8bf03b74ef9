import type { Clock } from "./clock.js";
import { Backoff } from "./core/backoff.js";
import type { TokenReason } from "./core/connection.js";
import { renewAfter } from "./core/token.js";
import { UnauthorizedError } from "./errors.js";

/**
 * The application's way to a token. It throws {@link UnauthorizedError} where the user is not signed in any more; any
 * other error is taken to pass, and it is called again after a pause. It is never called twice at a time.
 */
export type GetToken = (context: {
  readonly reason: TokenReason;
  readonly signal: AbortSignal;
}) => string | Promise<string>;

/** The token: asked for when it is needed, one call at a time, and again before it expires. */
export class Tokens {
  #token: string | undefined;
  #renewAt: number | undefined;
  #asking: Promise<string> | undefined;
  #abort = new AbortController();
  #stopTimer: () => void = () => {};

  constructor(
    private readonly getToken: GetToken | undefined,
    private readonly clock: Clock,
  ) {}

  /** Whether there is a way to another token. */
  get canAsk(): boolean {
    return this.getToken !== undefined;
  }

  /** The token to connect with: that which is there, unless it was refused or is about to expire. */
  async toConnect(reason: TokenReason): Promise<string | undefined> {
    if (!this.getToken) return undefined;
    const fresh = this.#token !== undefined && (this.#renewAt ?? 0) > this.clock.now();
    return reason === "connect" && fresh ? this.#token : this.#ask(reason);
  }

  /**
   * While there is a connection: has the token renewed before it expires, by `renew`, which sends it to the gateway.
   * `unauthorized` is called where the application says that there is none any more.
   */
  keepFresh(renew: (token: string) => Promise<void>, unauthorized: (error: UnauthorizedError) => void): void {
    this.#stopTimer();
    if (!this.getToken || this.#renewAt === undefined) return;
    const backoff = new Backoff(1_000, 30_000);
    const attempt = async () => {
      try {
        await renew(await this.#ask("expiring"));
        this.keepFresh(renew, unauthorized);
      } catch (error) {
        if (error instanceof UnauthorizedError) unauthorized(error);
        else this.#stopTimer = this.clock.after(backoff.next(this.clock.random(), 1_000), attempt);
      }
    };
    this.#stopTimer = this.clock.after(this.#renewAt - this.clock.now(), attempt);
  }

  /** There is no connection: nothing is renewed. */
  rest(): void {
    this.#stopTimer();
  }

  /** The client disconnects: whoever connects next may be another user. */
  forget(): void {
    this.rest();
    this.#token = undefined;
    this.#asking = undefined;
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  #ask(reason: TokenReason): Promise<string> {
    if (this.#asking) return this.#asking;
    const asking: Promise<string> = this.#fetch(reason, this.#abort.signal).finally(() => {
      if (this.#asking === asking) this.#asking = undefined;
    });
    this.#asking = asking;
    return asking;
  }

  async #fetch(reason: TokenReason, signal: AbortSignal): Promise<string> {
    const token = await this.getToken?.({ reason, signal });
    if (typeof token !== "string") throw new TypeError("getToken must return the token as text");
    signal.throwIfAborted();
    this.#token = token;
    const after = renewAfter(token, this.clock.now(), this.clock.random());
    this.#renewAt = after === undefined ? undefined : this.clock.now() + after;
    return token;
  }
}
