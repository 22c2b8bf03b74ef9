/** A listener of all events, whatever their names. */
export type AnyListener = (...args: any[]) => void;

/** Listeners of all events of one direction. */
export class AnyListeners {
  private all: AnyListener[] = [];

  /** `changed` hears how many there are more, or fewer. */
  constructor(private readonly changed: (by: number) => void = () => {}) {}

  add(listener: AnyListener): void {
    this.set([...this.all, listener]);
  }

  addFirst(listener: AnyListener): void {
    this.set([listener, ...this.all]);
  }

  /** Removes this one, or all. */
  remove(listener?: AnyListener): void {
    const at = listener ? this.all.indexOf(listener) : -1;
    if (!listener) this.set([]);
    else if (at >= 0) this.set(this.all.filter((_, index) => index !== at));
  }

  list(): AnyListener[] {
    return this.all;
  }

  call(args: readonly unknown[]): void {
    for (const listener of this.all) listener(...args);
  }

  private set(listeners: AnyListener[]): void {
    const by = listeners.length - this.all.length;
    this.all = listeners;
    this.changed(by);
  }
}
