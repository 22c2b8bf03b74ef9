/** The time and the dice, which the application's tests may replace as the library's own do. */
export interface Clock {
  /** Milliseconds of the wall clock: it goes on while a machine sleeps. */
  now(): number;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
  /** Calls `run` once after so many milliseconds; what it returns takes that back. */
  after(ms: number, run: () => void): () => void;
}

/** The longest that `setTimeout` can wait. */
const LONGEST = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), LONGEST));
    return () => clearTimeout(timer);
  },
};
