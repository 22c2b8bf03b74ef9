import type { Frame, Request } from "../../src/core/wire.js";
import type { Link, Listener, Transport } from "../../src/transport/transport.js";
import { settle } from "./clock.js";

export interface Asked extends Request {
  readonly id: number;
}

/** A connection as a gateway that is played by a test sees it. */
export class FakeLink implements Link {
  readonly asked: Asked[] = [];
  closedBy: "done" | "given-up" | undefined;
  hasHeartbeat = false;
  /** Whether it is as good as cut: nothing is answered. */
  dead = false;

  constructor(private readonly listener: Listener) {}

  send(id: number, request: Request): void {
    this.asked.push({ id, ...request });
    if (request.op === "ping" && !this.dead) queueMicrotask(() => this.listener.frame({ id, ok: true }));
  }

  close(how: "done" | "given-up"): void {
    this.closedBy = how;
  }

  /** The last request of this operation. */
  last(op: string): Asked {
    const found = this.asked.filter((request) => request.op === op).at(-1);
    if (!found) throw new Error(`no ${op} was asked, but ${JSON.stringify(this.asked)}`);
    return found;
  }

  count(op: string): number {
    return this.asked.filter((request) => request.op === op).length;
  }

  async answer(op: string, answer: object = {}): Promise<void> {
    const failed = "error" in answer;
    await this.push({ id: this.last(op).id, ok: !failed, ...answer } as Frame);
  }

  async refuse(op: string, code: string): Promise<void> {
    await this.answer(op, { error: { code, message: code } });
  }

  async push(frame: Frame): Promise<void> {
    this.listener.frame(frame);
    await settle();
  }

  async message(room: string, data: unknown, offset?: number, event = "message"): Promise<void> {
    const place = offset === undefined ? {} : { offset };
    const position = offset === undefined ? {} : { offset: `e1-${offset}` };
    await this.push({ event, data, meta: { room, id: `m${offset}`, time: 0, ...place }, ...position });
  }

  async close_(code: number, reason = "", retryAfter?: number): Promise<void> {
    this.listener.closed(code, reason, retryAfter);
    await settle();
  }

  async opened(): Promise<void> {
    this.listener.opened();
    await settle();
  }

  /** Opens, and lets the client in. */
  async greet(more: object = {}): Promise<void> {
    await this.opened();
    await this.answer("connect", {
      session: "s1",
      user: "ann",
      pid: "p1",
      recovered: false,
      pingInterval: 25_000,
      ...more,
    });
  }
}

/** What a test plays the gateway with: all connections that the client opened. */
export class FakeGateway implements Transport {
  readonly name: string;
  readonly links: FakeLink[] = [];

  constructor(name = "fake") {
    this.name = name;
  }

  open(_url: string, listener: Listener): Link {
    const link = new FakeLink(listener);
    this.links.push(link);
    return link;
  }

  get link(): FakeLink {
    const link = this.links.at(-1);
    if (!link) throw new Error("the client has opened no connection");
    return link;
  }
}
