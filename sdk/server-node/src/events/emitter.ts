import { EventEmitter } from "node:events";
import type { EventListener, EventNames, EventParams, EventsMap } from "./types.js";

/**
 * An emitter whose events are typed: `Listen` are those that a program listens to, `Emit` those that it emits, `Own` those
 * that the library itself emits.
 */
export class TypedEmitter<
  Listen extends EventsMap,
  Emit extends EventsMap,
  Own extends EventsMap = {},
> extends EventEmitter {
  override on<Name extends EventNames<Own> | EventNames<Listen>>(
    name: Name,
    listener: EventListener<Own, Listen, Name>,
  ): this {
    return super.on(name, listener as (...args: any[]) => void);
  }

  override once<Name extends EventNames<Own> | EventNames<Listen>>(
    name: Name,
    listener: EventListener<Own, Listen, Name>,
  ): this {
    return super.once(name, listener as (...args: any[]) => void);
  }

  override emit<Name extends EventNames<Emit>>(name: Name, ...args: EventParams<Emit, Name>): boolean {
    return super.emit(name, ...args);
  }

  /** Calls the listeners here, whatever `emit` does in a class that is made of this one. */
  protected emitHere(name: string | symbol, ...args: unknown[]): boolean {
    return EventEmitter.prototype.emit.call(this, name, ...args);
  }

  /** As `emitHere`, for other parts of the library. */
  static emitOn(emitter: EventEmitter, name: string, ...args: unknown[]): boolean {
    return EventEmitter.prototype.emit.call(emitter, name, ...args);
  }
}
