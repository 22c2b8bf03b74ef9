import { EventEmitter } from "node:events";
import type { EventListener, EventNames, EventsMap } from "./types.js";

/**
 * An emitter whose events are typed: `Listen` are those that a program listens to, `Own` those
 * that the library itself emits.
 */
export class TypedEmitter<Listen extends EventsMap, Own extends EventsMap = {}> extends EventEmitter {
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

  /** What it does is said by the classes that are made of this one. */
  override emit(name: any, ...args: any[]): boolean {
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
