import type { EventsMap } from "../events/types.js";
import { Namespace, type NamespacePort } from "./namespace.js";
import { type NamespaceTest, ParentNamespace } from "./parent-namespace.js";

/** The namespaces of a server. */
export class Namespaces<Listen extends EventsMap, Emit extends EventsMap, ServerSide extends EventsMap, SocketData> {
  readonly all = new Map<string, Namespace<Listen, Emit, ServerSide, SocketData>>();
  private readonly parents: ParentNamespace<Listen, Emit, ServerSide, SocketData>[] = [];
  private readonly patterns = new Map<RegExp, ParentNamespace<Listen, Emit, ServerSide, SocketData>>();

  /** `made` hears of each that is made, but for `/`. */
  constructor(
    private readonly server: unknown,
    private readonly port: NamespacePort,
    private readonly made: (namespace: Namespace<Listen, Emit, ServerSide, SocketData>) => void,
  ) {}

  get(name: string): Namespace<Listen, Emit, ServerSide, SocketData> | undefined {
    return this.all.get(name);
  }

  /** The one of this name, which is made where there is none; or those that a pattern or a function allows. */
  of(name: string | RegExp | NamespaceTest): Namespace<Listen, Emit, ServerSide, SocketData> {
    if (typeof name === "function") return this.addParent(name);
    if (name instanceof RegExp) {
      const parent = this.addParent((asked, _auth, next) => next(null, name.test(asked)));
      this.patterns.set(name, parent);
      return parent;
    }
    const full = String(name).startsWith("/") ? String(name) : `/${name}`;
    return this.all.get(full) ?? this.make(full);
  }

  /** The one that a client asks for, if there is one or may be. */
  async find(
    name: string,
    auth: Record<string, any>,
  ): Promise<Namespace<Listen, Emit, ServerSide, SocketData> | undefined> {
    const known = this.all.get(name);
    if (known) return known;
    for (const parent of [...this.parents]) {
      const allowed = await new Promise<boolean>((resolve) =>
        parent.test(name, auth, (error, allow) => resolve(!error && allow)),
      );
      if (allowed) return this.all.get(name) ?? this.add(parent.createChild(name));
    }
    return undefined;
  }

  /** Forgets one that a pattern or a function allowed. */
  removeChild(name: string): void {
    const child = this.all.get(name);
    if (child && this.parents.some((parent) => parent.removeChild(child))) this.all.delete(name);
  }

  private addParent(test: NamespaceTest): ParentNamespace<Listen, Emit, ServerSide, SocketData> {
    const parent = new ParentNamespace<Listen, Emit, ServerSide, SocketData>(
      this.server,
      this.parents.length,
      test,
      this.port,
    );
    this.parents.push(parent);
    return parent;
  }

  private make(name: string): Namespace<Listen, Emit, ServerSide, SocketData> {
    for (const [pattern, parent] of this.patterns) if (pattern.test(name)) return this.add(parent.createChild(name));
    return this.add(new Namespace(this.server, name, this.port));
  }

  private add(namespace: Namespace<Listen, Emit, ServerSide, SocketData>) {
    this.all.set(namespace.name, namespace);
    if (namespace.name !== "/") this.made(namespace);
    return namespace;
  }
}
