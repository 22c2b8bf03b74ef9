/**
 * What the end of a connection means: docs/close-codes.md.
 *
 * - `now`: come back at once; the gateway has spread such closes over time already.
 * - `jitter`: come back after a random pause that grows.
 * - `pause`: the same, and at least a second later.
 * - `token`: come back with a new token.
 * - `never`: it would end in the same way.
 */
export type Return = "now" | "jitter" | "pause" | "token" | "never";

const RETURNS: Readonly<Record<number, Return>> = {
  4000: "now",
  4001: "now",
  4002: "now",
  4003: "token",
  4004: "pause",
  4006: "now",
};

export function returnAfter(code: number): Return {
  if (code >= 4500 && code < 5000) return "never";
  return RETURNS[code] ?? "jitter";
}

/** The names of close codes, for where the close frame had none. */
const NAMES: Readonly<Record<number, string>> = {
  1009: "message_too_large",
  4500: "replaced",
  4501: "revoked",
  4503: "unauthorized",
};

export const closeName = (code: number, reason: string): string => reason || NAMES[code] || "lost";
