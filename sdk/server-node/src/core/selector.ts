/** Whom something is for: sessions of a namespace that are in one of `rooms` or of one of `users`, minus `except`. */
export interface Audience {
  readonly rooms: ReadonlySet<string>;
  readonly except: ReadonlySet<string>;
  readonly users: ReadonlySet<string>;
}

export const EVERYBODY: Audience = { rooms: new Set(), except: new Set(), users: new Set() };

/** The most rooms, users and exceptions in one selector. */
const MOST = 1000;

/** A selector as it is sent. */
export function encodeSelector(namespace: string, { rooms, except, users }: Audience): string {
  for (const [what, names] of Object.entries({ rooms, except, users })) {
    if (names.size > MOST) {
      throw new RangeError(
        `At most ${MOST} ${what} can be selected at once, not ${names.size}: let their members join a room, and select that.`,
      );
    }
  }
  return JSON.stringify({
    namespace,
    ...(rooms.size > 0 && { rooms: [...rooms] }),
    ...(except.size > 0 && { except: [...except] }),
    ...(users.size > 0 && { users: [...users] }),
  });
}

/** The selector of these sessions and no others. */
export function encodeSessions(namespace: string, sessions: readonly string[]): string {
  return JSON.stringify({ namespace, sessions });
}

/** Sessions in parts that one selector takes. */
export function* inParts(sessions: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < sessions.length; at += MOST) yield sessions.slice(at, at + MOST);
}
