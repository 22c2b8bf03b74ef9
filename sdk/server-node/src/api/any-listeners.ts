import { TypedEmitter } from "../events/emitter.js";
import type { EventsMap } from "../events/types.js";

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

/** An emitter that also has listeners of all events: of those that come in, and of those that go out. Most have none. */
export abstract class AnyEmitter<Listen extends EventsMap, Own extends EventsMap> extends TypedEmitter<Listen, Own> {
  protected incoming: AnyListeners | undefined;
  protected outgoing: AnyListeners | undefined;

  /** So many more listen to what goes out, or fewer. */
  protected abstract outgoingChanged(by: number): void;

  onAny(listener: AnyListener): this {
    this.anyIncoming().add(listener);
    return this;
  }

  prependAny(listener: AnyListener): this {
    this.anyIncoming().addFirst(listener);
    return this;
  }

  offAny(listener?: AnyListener): this {
    this.incoming?.remove(listener);
    return this;
  }

  listenersAny(): AnyListener[] {
    return this.incoming?.list() ?? [];
  }

  onAnyOutgoing(listener: AnyListener): this {
    this.anyOutgoing().add(listener);
    return this;
  }

  prependAnyOutgoing(listener: AnyListener): this {
    this.anyOutgoing().addFirst(listener);
    return this;
  }

  offAnyOutgoing(listener?: AnyListener): this {
    this.outgoing?.remove(listener);
    return this;
  }

  listenersAnyOutgoing(): AnyListener[] {
    return this.outgoing?.list() ?? [];
  }

  private anyIncoming(): AnyListeners {
    this.incoming ??= new AnyListeners();
    return this.incoming;
  }

  private anyOutgoing(): AnyListeners {
    this.outgoing ??= new AnyListeners((by) => this.outgoingChanged(by));
    return this.outgoing;
  }
}
