import type { Off } from "./emitter.js";

/**
 * Resolves once `done` says so, and fails where it throws, or with the signal's reason. `subscribe` has it look again
 * whenever that may have changed.
 */
export function until(done: () => boolean, subscribe: (look: () => void) => Off, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let off = () => {};
    const settle = (how: () => void) => {
      off();
      signal?.removeEventListener("abort", abort);
      how();
    };
    const abort = () => settle(() => reject(signal?.reason));
    const look = () => {
      try {
        if (done()) settle(resolve);
      } catch (error) {
        settle(() => reject(error));
      }
    };
    signal?.addEventListener("abort", abort);
    off = subscribe(look);
    look();
  });
}
