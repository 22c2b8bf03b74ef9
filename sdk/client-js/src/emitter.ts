/** What takes back what it came from; calling it again does nothing. */
export type Off = () => void;

/** Listeners by the name of an event. One that throws does not keep the others from being called. */
export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>();

  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): Off {
    const listeners = this.#listeners.get(name) ?? new Set();
    // The same function may listen twice, and each is taken back by itself.
    const own = (value: Events[Name]) => listener(value);
    this.#listeners.set(name, listeners.add(own));
    return () => void listeners.delete(own);
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])])
      call(() => (listener as (value: Events[Name]) => void)(value));
  }
}

/** Calls what the application gave; what it throws reaches the runtime as any uncaught error, and nothing else breaks. */
export function call(run: () => void): void {
  try {
    run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
