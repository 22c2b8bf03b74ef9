import type { Answer, Request } from "./core/wire.js";
import { SluiceError } from "./errors.js";
import type { Link } from "./transport/transport.js";

/** What is called with an answer, before anything that came behind it is looked at. */
export type Answered = (answer: Answer) => void;

/** The answer to what there is no connection for, or none any more. */
export const DISCONNECTED: Answer = {
  ok: false,
  error: { code: "disconnected", message: "there is no connection, or it was lost; ask again once it is back" },
};

/** The requests of one connection that wait for their answers. */
export class Requests {
  readonly #waiting = new Map<unknown, Answered>();
  #last = 0;

  get count(): number {
    return this.#waiting.size;
  }

  /** Sends a request; returns what gives its answer up. */
  send(link: Link, request: Request, answered: Answered): () => void {
    this.#last += 1;
    const id = this.#last;
    this.#waiting.set(id, answered);
    link.send(id, request);
    return () => void this.#waiting.delete(id);
  }

  /** An answer has come. */
  answered(answer: Answer): void {
    const answered = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    answered?.(answer);
  }

  /** The connection has ended. */
  disconnected(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const answered of waiting) answered(DISCONNECTED);
  }
}

/** Asks by `call`, and resolves to a good answer, or fails with the refusal. */
export function ask(call: (answered: Answered) => () => void, signal?: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      giveUp();
      reject(signal?.reason);
    };
    const giveUp = call((answer) => {
      signal?.removeEventListener("abort", abort);
      const { ok, error } = answer;
      if (ok) resolve(answer);
      else reject(new SluiceError(error?.code ?? "refused", error?.message ?? "the gateway refused"));
    });
    signal?.addEventListener("abort", abort);
  });
}
