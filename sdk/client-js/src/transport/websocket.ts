import type { Frame } from "../core/wire.js";
import type { Link, Listener, Transport } from "./transport.js";

/** The least that the client needs of a WebSocket: that of browsers, of Node.js 22, of Deno and Bun, or of `ws`. */
export interface WebSocketLike {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: string, listener: (event: never) => void): void;
}

/** What makes one. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike;

/** What the package `ws` has beside that. */
interface NodeSocket extends WebSocketLike {
  on?(event: string, listener: (...args: never[]) => void): void;
  terminate?(): void;
}

interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: { readonly "retry-after"?: string };
}

const SUBPROTOCOL = "sluice.v1.json";

/** The client's own close code that leaves the session to be recovered; pages may send those from 3000 on. */
const GIVEN_UP = 3000;

/** The plain protocol over a WebSocket. */
export function webSocket(Class: WebSocketClass): Transport {
  return { name: "websocket", open: (url, listener) => open(new Class(plainUrl(url), [SUBPROTOCOL]), listener) };
}

function open(socket: NodeSocket, listener: Listener): Link {
  let over = false;
  let retryAfter: number | undefined;
  const closed = (code: number, reason: string) => {
    if (over) return;
    over = true;
    listener.closed(code, reason, retryAfter);
  };
  socket.addEventListener("open", () => over || listener.opened());
  socket.addEventListener("message", ({ data }: MessageEvent) => {
    const frame = over ? undefined : parse(data);
    if (frame) listener.frame(frame);
  });
  socket.addEventListener("close", ({ code, reason }: CloseEvent) => closed(code, reason));
  // What went wrong a page is not told; that it closed follows.
  socket.addEventListener("error", () => {});
  socket.on?.("ping", () => over || listener.heard());
  socket.on?.("unexpected-response", (request: { destroy(): void }, answer: HttpAnswer) => {
    const seconds = Number(answer.headers["retry-after"]);
    retryAfter = Number.isFinite(seconds) ? seconds * 1000 : undefined;
    request.destroy();
    closed(1006, `http_${answer.statusCode}`);
  });
  return {
    send(id, request) {
      if (socket.readyState === 1) socket.send(JSON.stringify({ id, ...request }));
    },
    close(how) {
      over = true;
      // A way that is given up may be dead, and would wait long for the other side's close.
      if (how === "given-up" && socket.terminate) socket.terminate();
      else socket.close(how === "done" ? 1000 : GIVEN_UP);
    },
  };
}

function parse(data: unknown): Frame | undefined {
  try {
    const frame = JSON.parse(String(data)) as Frame | null;
    return typeof frame === "object" && frame !== null ? frame : undefined;
  } catch {
    return undefined;
  }
}

/** Where the plain protocol is: `https://host/` and `wss://host/` mean `wss://host/ws`. */
export function plainUrl(url: string): string {
  const parsed = new URL(url, typeof location === "undefined" ? undefined : location.href);
  parsed.protocol = parsed.protocol.replace("http", "ws");
  if (parsed.pathname === "/") parsed.pathname = "/ws";
  return parsed.href;
}
