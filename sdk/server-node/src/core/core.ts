import { EventEmitter } from "node:events";
import type { BroadcastError } from "../events/types.js";
import type { Gateway } from "../link/gateway.js";
import { Link } from "../link/link.js";
import type { LinkOptions } from "../link/options.js";
import { encodeEntry } from "../stream/entry.js";
import { type EncodedArgs, encodeArgs } from "./args.js";
import { Attached } from "./attached.js";
import { BroadcastCall } from "./broadcast-call.js";
import { Calls } from "./calls.js";
import type { ConnectRequest } from "./connect.js";
import { DataKeeper } from "./data.js";
import { takeEntry } from "./inbox.js";

/** How something is emitted. */
export interface Flags {
  volatile?: boolean;
  compress?: boolean;
  local?: boolean;
  /** How long an acknowledgement is waited for, in ms. */
  timeout?: number;
}

/** The most bytes that may wait for all gateways together; more is refused. */
const WAITING_BYTES = 64 * 1024 * 1024;

/** What the core asks of the server that it belongs to. */
export interface CorePort {
  connect(gateway: Gateway, handle: string, request: ConnectRequest): void;
  peer(message: Record<string, unknown>): void;
}

/**
 * What all namespaces of a server share: the link to the gateways, the sessions that are attached, and the questions that
 * are open. It emits `pressure` when so much waits for the gateways that emitting is refused.
 */
export class Core extends EventEmitter {
  readonly link: Link;
  readonly attached = new Attached();
  readonly calls = new Calls();
  readonly data: DataKeeper;
  /** Entries of kinds that this library does not know. */
  unknownEntries = 0;
  private pressed = false;
  private isLeaving = false;

  constructor(options: LinkOptions, port: CorePort) {
    super();
    const inbox = {
      attached: this.attached,
      calls: this.calls,
      connect: port.connect,
      failed: (code: string, message: string) =>
        process.emitWarning(`A gateway could not do what it was told (${code}): ${message}`),
    };
    this.link = new Link(options, {
      entry: (gateway, entry) => {
        try {
          if (!takeEntry(inbox, gateway, entry)) this.unknownEntries++;
        } catch (error) {
          // What a program's listener throws is the program's, and must not end the reading of what others sent.
          process.nextTick(() => {
            throw error;
          });
        }
      },
      reset: (gateway) => this.lose(gateway, (session) => session.detach()),
      gone: (gateway) => this.lose(gateway, (session) => session.gone("transport close", "gateway_gone")),
      peer: port.peer,
    });
    this.data = new DataKeeper(() => this.link.wake());
    this.link.onFlush(() => {
      this.data.flush();
      this.link.sessions = this.attached.size;
    });
  }

  /** Says an entry to the gateways that are there; volatile ones not where too much waits. */
  broadcast(
    kind: string,
    fields: readonly (string | number | undefined)[],
    texts: readonly string[],
    { blobs = [], volatile = false }: { blobs?: readonly Uint8Array[]; volatile?: boolean | undefined } = {},
  ): void {
    const entry = encodeEntry(kind, fields, texts, blobs);
    if (!this.hasRoom(entry.length, volatile)) return;
    for (const gateway of this.link.openGateways()) gateway.write(entry);
  }

  /** Says an entry to one gateway; a volatile one not where too much waits. */
  say(
    gateway: Gateway,
    kind: string,
    fields: readonly (string | number | undefined)[],
    { text, blobs, volatile = false }: Partial<EncodedArgs> & { volatile?: boolean | undefined } = {},
  ): void {
    const entry = encodeEntry(kind, fields, text === undefined ? [] : [text], blobs);
    if (this.hasRoom(entry.length, volatile)) gateway.write(entry);
  }

  /** Asks one gateway something, with several texts. */
  ask(gateway: Gateway, kind: string, fields: readonly (string | number)[], texts: readonly string[]): void {
    gateway.say(kind, fields, texts);
  }

  /** Emits to all whom the selector selects. With `then`, they are to acknowledge. */
  cast(
    selector: string,
    args: readonly unknown[],
    flags: Flags,
    then?: (error: BroadcastError | null, responses: unknown[]) => void,
  ): void {
    const { text, blobs } = encodeArgs(args);
    const send = (call?: number) =>
      this.broadcast("cast", [flagsField(flags), call, flags.timeout], [selector, text], {
        blobs,
        volatile: flags.volatile,
      });
    if (!then) return send();
    const gateways = [...this.link.openGateways()];
    const call = this.calls.add(
      new BroadcastCall(gateways, flags.timeout, (error, responses) => {
        this.calls.remove(call);
        then(error, responses);
      }),
      gateways,
    );
    send(call);
  }

  /** Whether this instance is about to end. */
  get leaving(): boolean {
    return this.isLeaving;
  }

  /** Says that this instance takes no more sessions, so that those that it has go to others. */
  leave(): void {
    this.isLeaving = true;
    this.link.leave();
  }

  async close(): Promise<void> {
    this.data.stop();
    await this.link.close();
  }

  private lose(gateway: Gateway, each: (session: ReturnType<Attached["take"]>[number]) => void): void {
    for (const session of this.attached.take(gateway)) each(session);
    this.calls.lost(gateway);
  }

  private hasRoom(bytes: number, volatile: boolean): boolean {
    let waiting = bytes;
    for (const gateway of this.link.openGateways()) waiting += gateway.waiting;
    const pressed = waiting > WAITING_BYTES;
    if (pressed && !this.pressed) this.emit("pressure");
    this.pressed = pressed;
    if (!pressed) return true;
    if (volatile) return false;
    throw new Error(
      `More than ${WAITING_BYTES} bytes wait for the gateways, which do not take them: emit less, or wait and try again.`,
    );
  }
}

/** The letters of `emit` and `cast`. */
export function flagsField({ volatile, compress }: Flags): string {
  return `${volatile ? "v" : ""}${compress ? "c" : ""}` || "-";
}
