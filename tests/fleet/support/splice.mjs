/**
 * Lets bytes pass both ways between two TCP sockets, opened with `allowHalfOpen`; the end of one
 * way ends that way only, and a reset of one socket resets the other.
 */
export function splice(near, far) {
  join(near, far);
  for (const [one, other] of [[near, far], [far, near]]) {
    one.on("error", () => other.resetAndDestroy());
    one.on("close", () => { if (one.readableAborted || one.errored) other.destroy(); });
  }
}

/** Goes on with what `part` has stopped. */
export function join(near, far) {
  near.pipe(far);
  far.pipe(near);
}

/** Holds all bytes back, and the ends of connections with them. */
export function part(near, far) {
  near.unpipe(far);
  far.unpipe(near);
}
