import type { Call } from "./calls.js";
import type { Core } from "./core.js";

/** Opens a question to one session, which one gateway has: its number. With `ttl`, an error comes where no answer does. */
export function openSessionCall(
  core: Core,
  gateway: Parameters<NonNullable<Call["answer"]>>[0],
  ttl: number | undefined,
  then: (error: Error | null, args: unknown[]) => void,
): number {
  const timer =
    ttl === undefined
      ? undefined
      : setTimeout(() => {
          core.calls.remove(number);
          then(new Error("operation has timed out"), []);
        }, ttl);
  const number = core.calls.add(
    {
      answer(_gateway, _handle, args) {
        clearTimeout(timer);
        core.calls.remove(number);
        then(null, args);
      },
      // No answer comes any more: whoever has a time is told when it is over, others never, as Socket.IO has it.
      done() {
        if (!timer) core.calls.remove(number);
      },
    },
    [gateway],
  );
  return number;
}
