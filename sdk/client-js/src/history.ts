import { attach } from "./core/attachments.js";
import type { Answer, Message, Push, Request } from "./core/wire.js";

/** Which part of a history is read. */
export interface HistoryOptions {
  /** The newest messages before this offset, and on towards the oldest. */
  readonly before?: number;
  /** The oldest messages after this offset, and on towards the newest. */
  readonly after?: number;
  /** How many at most; all unless given. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** The most messages that are asked for at once. */
const PAGE = 100;

interface Page {
  readonly messages: readonly Message[];
}

/**
 * The messages that a room keeps, a page at a time: without `after` from the newest to the oldest, with it from the
 * oldest to the newest.
 */
export async function* readHistory(
  ask: (request: Request, signal?: AbortSignal) => Promise<Answer>,
  room: string,
  options: HistoryOptions = {},
): AsyncGenerator<Message, void, undefined> {
  const forward = options.after !== undefined;
  let { before, after, limit: left = Number.POSITIVE_INFINITY } = options;
  while (left > 0) {
    const limit = Math.min(left, PAGE);
    const part = forward ? { after } : before === undefined ? {} : { before };
    const answer = await ask({ op: "history", room, limit, ...part }, options.signal);
    const { messages } = answer as unknown as Page;
    const more = answer["more"] === true || messages.length === limit;
    for (const message of forward ? messages : [...messages].reverse()) {
      yield readMessage(message);
      left -= 1;
    }
    if (!more || messages.length === 0) return;
    if (forward) after = messages.at(-1)?.meta.offset;
    else before = messages[0]?.meta.offset;
  }
}

/** A message as the application gets it, its bytes in place. */
export function readMessage(message: Push | Message): Message {
  const { event, data, meta, attachments } = message as Message & Push;
  return { event, data: attach(data, attachments), meta };
}
