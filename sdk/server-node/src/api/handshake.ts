import type { IncomingHttpHeaders } from "node:http";
import type { ConnectRequest } from "../core/connect.js";

/** What a client said as it connected. */
export interface Handshake {
  /** Those that the gateway hands on: `spec.auth.handshake` names them. */
  headers: IncomingHttpHeaders;
  /** The date as text. */
  time: string;
  /** The client's address. */
  address: string;
  /** Whether the request came from another origin. */
  xdomain: boolean;
  /** Whether it came over TLS. */
  secure: boolean;
  /** The date in ms. */
  issued: number;
  url: string;
  query: Record<string, string | string[]>;
  /** What the client sent along with its wish to enter the namespace. */
  auth: { [key: string]: any };
}

export function handshakeOf({ handshake, auth }: ConnectRequest): Handshake {
  const { headers, query, address, secure, time, url, xdomain } = handshake;
  return { headers, time, address, xdomain, secure, issued: Date.parse(time) || Date.now(), url, query, auth };
}
