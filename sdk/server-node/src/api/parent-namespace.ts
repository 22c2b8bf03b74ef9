import type { DefaultEventsMap, EventsMap } from "../events/types.js";
import { type Middleware, Namespace, type NamespacePort } from "./namespace.js";
import type { Scoped } from "./scope.js";
import type { Socket } from "./socket.js";

/** Whether a client may enter a namespace of this name: `next(null, true)` says so. */
export type NamespaceTest = (
  name: string,
  auth: { [key: string]: any },
  next: (error: Error | null, allowed: boolean) => void,
) => void;

/** Namespaces whose names a pattern or a function allows: what is done to it is done to all that there are and will be. */
export class ParentNamespace<
  Listen extends EventsMap = DefaultEventsMap,
  Emit extends EventsMap = Listen,
  ServerSide extends EventsMap = DefaultEventsMap,
  SocketData = any,
> extends Namespace<Listen, Emit, ServerSide, SocketData> {
  /** Those that there are. */
  readonly children = new Set<Namespace<Listen, Emit, ServerSide, SocketData>>();
  private inherited: Middleware<Socket<Listen, Emit, ServerSide, SocketData>>[] = [];

  constructor(
    server: unknown,
    number: number,
    readonly test: NamespaceTest,
    private readonly makes: NamespacePort,
  ) {
    super(server, `/_${number}`, makes);
  }

  override use(middleware: Middleware<Socket<Listen, Emit, ServerSide, SocketData>>): this {
    this.inherited = [...this.inherited, middleware];
    return super.use(middleware);
  }

  override *scoped(): Generator<Scoped> {
    yield* this.children;
  }

  createChild(name: string): Namespace<Listen, Emit, ServerSide, SocketData> {
    const child = new Namespace<Listen, Emit, ServerSide, SocketData>(this.server, name, this.makes);
    const listeners = this.eventNames().flatMap((event) =>
      this.rawListeners(event).map((listener) => [event, listener] as const),
    );
    child.inherit(this.inherited, listeners);
    this.children.add(child);
    return child;
  }

  removeChild(child: Namespace<any, any, any, any>): boolean {
    return this.children.delete(child);
  }

  override fetchSockets(): never {
    throw new Error("fetchSockets() is for one namespace: call it on one that `io.of(name)` gives.");
  }
}
