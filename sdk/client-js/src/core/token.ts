/** When a token's time is over, as far as the token says. The client does not check it; the gateway does. */

/** The last part of a token's life in which it is renewed: a fifth of it, and at most a minute. */
const LAST = 0.2;
const LAST_MOST = 60_000;

/** No token is renewed more often than this, however short its life. */
const LEAST = 1_000;

interface Claims {
  readonly exp?: unknown;
  readonly iat?: unknown;
}

/** After how many milliseconds the token should be renewed; undefined where it does not say. `random` lies in 0..1. */
export function renewAfter(token: string, now: number, random: number): number | undefined {
  const { exp, iat } = claims(token);
  if (typeof exp !== "number") return undefined;
  // A token from the future says that this clock is behind.
  const from = typeof iat === "number" ? Math.max(iat * 1000, now) : now;
  const life = exp * 1000 - from;
  // The users of a fleet may all have got theirs at once.
  const last = Math.min(life * LAST, LAST_MOST) * (1 + random / 2);
  return Math.max(life - last, LEAST);
}

function claims(token: string): Claims {
  try {
    const [, body = ""] = token.split(".");
    const bytes = atob(body.replaceAll("-", "+").replaceAll("_", "/"));
    const text = new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
    return (JSON.parse(text) as Claims | null) ?? {};
  } catch {
    return {};
  }
}
