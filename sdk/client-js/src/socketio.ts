/**
 * The way for networks that let no WebSocket through: Socket.IO over long polling, by the package `socket.io-client`.
 *
 * @packageDocumentation
 */
import { attach } from "./core/attachments.js";
import type { Answer, Frame, Request } from "./core/wire.js";
import type { Link, Listener, Transport } from "./transport/transport.js";

export type { Answer, Frame, Link, Listener, Request, Transport };

/** The least that is needed of a socket of `socket.io-client`. */
export interface SocketLike {
  /** The session's public id. */
  readonly id?: string | undefined;
  /** Whether the session goes on that `pid` names. */
  readonly recovered?: boolean;
  /** Calls the listener with each such event. */
  on(event: string, listener: (...args: any[]) => void): unknown;
  /** Calls the listener with each event. */
  onAny(listener: (event: string, ...args: any[]) => void): unknown;
  /** Sends an event. */
  emit(event: string, ...args: any[]): unknown;
  /** Ends it. */
  disconnect(): unknown;
}

/** `io` of `socket.io-client`. */
export type Io = (url: string, options: Record<string, unknown>) => SocketLike;

/** Such as the path, `/socket.io/` unless given, or the transports, polling alone unless given. */
export type SocketIoOptions = Record<string, unknown>;

/** Speaks Socket.IO in place of the plain protocol: `new Client(url, { fallback: socketIo(io) })`. */
export function socketIo(io: Io, options: SocketIoOptions = {}): Transport {
  return { name: "socketio", open: (url, listener) => new SocketIoLink(io, url, options, listener) };
}

class SocketIoLink implements Link {
  readonly hasHeartbeat = true;
  #socket: SocketLike | undefined;
  #over = false;

  constructor(
    private readonly io: Io,
    private readonly url: string,
    private readonly options: SocketIoOptions,
    private readonly listener: Listener,
  ) {
    // Socket.IO opens with the token, so the request to connect comes first.
    queueMicrotask(() => this.#over || listener.opened());
  }

  send(id: number, request: Request): void {
    if (request.op === "connect") this.#connect(id, request);
    else if (request.op !== "ping") this.#emit(id, request);
  }

  close(how: "done" | "given-up"): void {
    this.#over = true;
    if (how === "done") this.#socket?.disconnect();
    else (this.#socket as { io?: { engine?: { close(): void } } } | undefined)?.io?.engine?.close();
  }

  #connect(id: number, { token, pid, offset, namespace = "/", auth }: Request): void {
    const own = typeof auth === "object" ? auth : {};
    const socket = this.io(new URL(String(namespace), baseOf(this.url)).href, {
      transports: ["polling"],
      ...this.options,
      auth: { ...own, token, ...(pid === undefined ? {} : { pid, offset: offset ?? "" }) },
      reconnection: false,
      forceNew: true,
    });
    this.#socket = socket;
    socket.on("connect", () => {
      const kept = (socket as { _pid?: string })._pid;
      this.#tell({ id, ok: true, session: socket.id, pid: kept, recovered: socket.recovered === true });
    });
    socket.on("connect_error", (error: Error & { data?: { code?: string; message?: string } }) => {
      const { code, message = error.message } = error.data ?? {};
      if (code !== undefined) this.#tell({ id, ok: false, error: { code, message } });
      this.#end(code === undefined ? 1006 : 4503, code ?? "lost");
    });
    // What ends a session for good, the gateway says by a DISCONNECT, which has no reason.
    socket.on("disconnect", (reason: string) => {
      if (reason === "io server disconnect") this.#end(4502, "disconnected");
      else this.#end(1006, reason);
    });
    socket.onAny((event, data, meta, position) => {
      const place = typeof position === "string" ? { offset: position } : {};
      this.#tell({ event, data, ...(meta === undefined ? {} : { meta }), ...place });
    });
  }

  #emit(id: number, request: Request): void {
    const { op, room, user, event, after, before, limit, epoch, token, messageId, echo } = request;
    const data = attach(request["data"], request["attachments"] as readonly string[] | undefined);
    const how: Readonly<Record<string, readonly unknown[]>> = {
      join: ["join", room, { after, epoch }],
      leave: ["leave", room],
      publish: ["publish", room, event, data, { id: messageId, echo }],
      direct: ["direct", user, event, data],
      broadcast: ["broadcast", event, data],
      presence: ["presence", room],
      history: ["history", room, { after, before, limit }],
      refresh: ["refresh", token],
      emit: [event, data],
    };
    const [name, ...args] = how[op] ?? [op];
    this.#socket?.emit(String(name), ...args, (answer: Answer) => this.#tell({ ...answer, id }));
  }

  #tell(frame: Frame): void {
    if (!this.#over) this.listener.frame(frame);
  }

  #end(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket?.disconnect();
    this.listener.closed(code, reason);
  }
}

/** Where the gateway is: `wss://host/ws` is at `https://host`. */
function baseOf(url: string): string {
  const parsed = new URL(url, typeof location === "undefined" ? undefined : location.href);
  return `${parsed.protocol.replace("ws", "http")}//${parsed.host}`;
}
