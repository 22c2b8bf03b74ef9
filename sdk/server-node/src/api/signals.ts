/** What leaves in order when the process is told to end. */
export interface Leaves {
  leave(): Promise<void>;
}

const leaving = new Map<NodeJS.Signals, Set<Leaves>>();
const handlers = new Map<NodeJS.Signals, () => void>();

/** From here on, this one leaves when the signal comes. Without other listeners, the process then ends by the signal. */
export function leaveOn(signal: NodeJS.Signals, one: Leaves): void {
  const all = leaving.get(signal) ?? new Set();
  leaving.set(signal, all.add(one));
  if (handlers.has(signal)) return;
  const handler = () => {
    const some = [...all];
    Promise.allSettled(some.map((each) => each.leave())).then(() => {
      if (process.listenerCount(signal) > 1) return;
      process.removeListener(signal, handler);
      process.kill(process.pid, signal);
    });
  };
  handlers.set(signal, handler);
  process.on(signal, handler);
}

/** This one has ended already. */
export function leftAlready(one: Leaves): void {
  for (const [signal, all] of leaving) {
    all.delete(one);
    if (all.size > 0) continue;
    const handler = handlers.get(signal);
    if (handler) process.removeListener(signal, handler);
    handlers.delete(signal);
    leaving.delete(signal);
  }
}
