const [FIRST, LONGEST, JITTER] = [1000, 5000, 0.5];

/**
 * How long the stock Socket.IO client waits, at its default settings, before it tries again for the
 * `attempt`th time (from 0): a second, then twice as long each time up to five, each give or take a
 * half, but never over five. In milliseconds.
 */
export function stockDelay(attempt, random = Math.random()) {
  const middle = FIRST * 2 ** attempt;
  return Math.min(middle + (2 * random - 1) * JITTER * middle, LONGEST);
}
