import { type IncomingMessage, request as overHttp, type ServerResponse } from "node:http";
import { request as overHttps } from "node:https";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";

/** Headers that are of one hop, not of what is handed on. */
const OF_ONE_HOP = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "proxy-connection",
]);

function forwardedFor(request: IncomingMessage): string {
  const before = request.headers["x-forwarded-for"];
  const address = request.socket.remoteAddress ?? "";
  return before ? `${before}, ${address}` : address;
}

/** Hands a request on to a gateway, and its answer back. */
export function forwardRequest(gateway: URL, path: string, request: IncomingMessage, response: ServerResponse): void {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !OF_ONE_HOP.has(name)));
  const onward = (gateway.protocol === "https:" ? overHttps : overHttp)(gateway, {
    method: request.method,
    path,
    agent: false,
    headers: { ...headers, "x-forwarded-for": forwardedFor(request) },
  });
  onward.on("response", (answer) => {
    // What this process has said of other origins stands.
    const isSaid = (name: string) => OF_ONE_HOP.has(name) || response.hasHeader(name);
    const back = Object.entries(answer.headers).filter(([name]) => !isSaid(name));
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(back) as Record<string, string>);
    answer.pipe(response);
    answer.on("error", () => response.destroy());
  });
  onward.on("error", () => {
    if (response.headersSent) return response.destroy();
    response.writeHead(502, { "content-type": "text/plain; charset=utf-8" });
    response.end(`No gateway answers at ${gateway.origin}: start one there, or give the option gateway its address.\n`);
  });
  response.on("close", () => onward.destroy());
  request.pipe(onward);
}

/** Hands an upgrade on to a gateway: from then on, bytes go both ways as they are. */
export function forwardUpgrade(
  gateway: URL,
  path: string,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const secure = gateway.protocol === "https:";
  const at = { host: gateway.hostname, port: Number(gateway.port) || (secure ? 443 : 80) };
  const onward = secure ? connectTls({ ...at, servername: gateway.hostname }) : connect(at);
  onward.once(secure ? "secureConnect" : "connect", () => {
    let lines = `${request.method} ${path} HTTP/1.1\r\n`;
    for (let at = 0; at < request.rawHeaders.length; at += 2) {
      if (request.rawHeaders[at]!.toLowerCase() === "x-forwarded-for") continue;
      lines += `${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}\r\n`;
    }
    onward.write(`${lines}X-Forwarded-For: ${forwardedFor(request)}\r\n\r\n`, "latin1");
    if (head.length > 0) onward.write(head);
    onward.pipe(socket).pipe(onward);
  });
  onward.on("error", () => socket.destroy());
  onward.on("close", () => socket.destroy());
  socket.on("error", () => onward.destroy());
  socket.on("close", () => onward.destroy());
}
