import type { Gateway } from "../link/gateway.js";

/** A question of this instance that gateways answer. */
export interface Call {
  /** A session has acknowledged. */
  answer?(gateway: Gateway, handle: string, args: unknown[]): void;
  /** So many sessions of the gateway are asked. */
  count?(gateway: Gateway, sessions: number): void;
  /** Nothing more comes from the gateway; these did not answer. */
  done?(gateway: Gateway, missing: string[]): void;
  page?(gateway: Gateway, sessions: unknown[], more: boolean): void;
  failed?(gateway: Gateway, code: string, message: string): void;
}

/** The questions that are open, by the numbers that gateways call them by. */
export class Calls {
  private readonly open = new Map<number, { readonly call: Call; readonly asked: Set<Gateway> }>();
  private last = 0;

  /** Opens a question to these gateways: its number. */
  add(call: Call, gateways: Iterable<Gateway>): number {
    this.open.set(++this.last, { call, asked: new Set(gateways) });
    return this.last;
  }

  get(number: number): Call | undefined {
    return this.open.get(number)?.call;
  }

  /** Nobody waits for it any more; what still comes is dropped. */
  remove(number: number): void {
    this.open.delete(number);
  }

  /** Whatever the gateway was asked, it will not answer. */
  lost(gateway: Gateway): void {
    for (const { call, asked } of [...this.open.values()]) if (asked.delete(gateway)) call.done?.(gateway, []);
  }

  get size(): number {
    return this.open.size;
  }
}
