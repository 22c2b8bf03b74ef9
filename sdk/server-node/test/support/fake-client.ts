import { decodeArgs } from "../../src/core/args.js";
import type { Entry } from "../../src/stream/entry.js";
import type { FakeGateway } from "./fake-gateway.js";

type State = "asking" | "in" | "fenced" | "refused" | "closed";
type Answer = (args: unknown[]) => void;

/** A session of a client at a fake gateway. */
export class FakeClient {
  state: State = "asking";
  instance: string | undefined;
  readonly request: Record<string, any>;
  readonly rooms = new Set<string>();
  /** The events that reached the client. */
  readonly received: unknown[][] = [];
  /** What the instance said to be wrong. */
  refusal: { message: string; data?: unknown } | undefined;
  /** Everything that was said of it, by kind. */
  readonly kinds: string[] = [];
  /** What the client acknowledges with; it does not while there is nothing. */
  answers: ((args: unknown[]) => unknown[]) | undefined;
  private readonly questions = new Map<string, (args: unknown[]) => void>();
  private held: (() => void)[] = [];

  constructor(
    private readonly gateway: FakeGateway,
    public handle: string,
    request: Record<string, unknown>,
  ) {
    this.request = { namespace: "/", why: "new", rooms: [], data: {}, rev: 0, ...request };
  }

  get session(): string {
    return this.request.session;
  }

  isIn(room: string): boolean {
    return room === this.session || this.rooms.has(room);
  }

  /** The client emits. */
  emit(...args: unknown[]): void {
    this.whenIn(() => this.gateway.sayArgs(this.instance!, "event", [this.handle, undefined], args));
  }

  /** The client emits, and waits for an acknowledgement. */
  ask(...args: unknown[]): Promise<unknown[]> {
    const number = String(this.gateway.nextCall());
    return new Promise((resolve) => {
      this.questions.set(number, resolve);
      this.whenIn(() => this.gateway.sayArgs(this.instance!, "event", [this.handle, number], args));
    });
  }

  /** The client goes. */
  leave(reason = "client namespace disconnect", cause = "client"): void {
    const kind = this.state === "asking" ? "cancel" : "gone";
    this.state = "closed";
    this.gateway.say(this.instance!, kind, [this.handle], [JSON.stringify({ reason, cause })]);
  }

  /** The session gets a new handle, by which the next instance knows it. */
  moves(handle: string): void {
    this.handle = handle;
    this.state = "asking";
    Object.assign(this.request, { why: "handover", rooms: [...this.rooms] });
  }

  emitted(args: unknown[], answer?: Answer): void {
    this.received.push(args);
    if (answer && this.answers) answer(this.answers(args));
  }

  changed(by: string, kind: string, what: any): void {
    if (kind === "closes") this.state = "closed";
    if (kind === "joins") for (const room of what) this.rooms.add(room);
    if (kind === "leaves") for (const room of what) this.rooms.delete(room);
    if (by === this.instance) return;
    if (kind === "closes") {
      this.gateway.say(this.instance!, "gone", [this.handle], ['{"reason":"server namespace disconnect"}']);
      return;
    }
    const rooms = { joined: kind === "joins" ? what : [], left: kind === "leaves" ? what : [] };
    this.gateway.say(this.instance!, "rooms", [this.handle], [JSON.stringify(rooms)]);
  }

  listed(fields: string[]): object {
    const { session, user, data } = this.request;
    const all: Record<string, unknown> = { rooms: [...this.rooms], data, handshake: this.request.handshake ?? {} };
    return { session, user, ...Object.fromEntries(fields.map((field) => [field, all[field]])) };
  }

  entry(entry: Entry): void {
    this.kinds.push(entry.kind);
    const json = () => JSON.parse(String(entry.bodies[0]));
    switch (entry.kind) {
      case "accept":
        this.accepted(json());
        break;
      case "refuse":
        this.refusal = json();
        this.state = "refused";
        break;
      case "emit":
        this.emitted(decodeArgs(entry.bodies)!, (args) =>
          this.gateway.sayArgs(this.instance!, "answer", [entry.fields[2], this.handle], args),
        );
        break;
      case "ack":
        this.questions.get(entry.fields[1]!)?.(decodeArgs(entry.bodies)!);
        break;
      case "join":
        for (const room of json()) this.rooms.add(room);
        break;
      case "leave":
        for (const room of json()) this.rooms.delete(room);
        break;
      case "data":
        this.request.data = json();
        this.request.rev++;
        break;
      case "close":
        this.state = "closed";
    }
  }

  private accepted({ rooms, data }: { rooms: string[]; data: object }): void {
    this.rooms.clear();
    for (const room of rooms) this.rooms.add(room);
    this.request.data = data;
    this.state = "in";
    const { held } = this;
    this.held = [];
    for (const work of held) work();
  }

  private whenIn(work: () => void): void {
    if (this.state === "in") work();
    else this.held.push(work);
  }
}
