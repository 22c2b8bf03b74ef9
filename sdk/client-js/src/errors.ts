/**
 * A refusal, or what became of a request. `code` is for programs: one of the gateway's (docs/errors.md), or one of the
 * library's own:
 *
 * - `disconnected`: the connection was lost before there was an answer; the request may have been carried out.
 * - `in_doubt`: a publication was sent, and nobody can say any more whether it was taken; sending it again might
 *   repeat it.
 * - `expired`: a publication could not be sent before its age limit.
 * - `outbox_full`: as many publications wait as may.
 * - `left`: the room was left, or the client disconnected, before it came to that.
 * - `unauthorized`: there is no token, or the gateway accepts none that there is.
 */
export class SluiceError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SluiceError";
    this.code = code;
  }
}

/** To be thrown by `getToken` where the user is not signed in any more: the client then stays disconnected. */
export class UnauthorizedError extends SluiceError {
  constructor(message = "the user is not signed in; sign in, then call connect()", options?: ErrorOptions) {
    super("unauthorized", message, options);
    this.name = "UnauthorizedError";
  }
}

/** Refusals of what may be accepted later, as it is. */
const PASSING = new Set([
  "rate_limited",
  "too_many_in_flight",
  "room_rate_limited",
  "room_full",
  "overloaded",
  "backbone_unavailable",
  "disconnected",
]);

/** Whether the same request may be accepted after a pause. */
export const passes = (code: string): boolean => PASSING.has(code);

/** What an aborted request fails with: the signal's own reason, as `fetch` does. */
export const aborted = (signal: AbortSignal): unknown => signal.reason;
