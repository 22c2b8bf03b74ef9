import { type IncomingHttpHeaders, type IncomingMessage, ServerResponse } from "node:http";
import type { Handshake } from "./handshake.js";

/**
 * The request with which a client's connection began, as far as the gateway tells of it. It has what middlewares read of an
 * `IncomingMessage`, and takes what they write on it; it is no stream.
 */
export class ClientRequest {
  readonly method = "GET";
  readonly httpVersion = "1.1";
  readonly httpVersionMajor = 1;
  readonly httpVersionMinor = 1;
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  readonly originalUrl: string;
  readonly _query: Handshake["query"];
  readonly socket: { readonly remoteAddress: string; readonly encrypted: boolean };
  [written: string]: any;

  constructor(handshake: Handshake) {
    this.headers = handshake.headers;
    this.url = withQuery(handshake);
    this.originalUrl = this.url;
    this._query = handshake.query;
    this.socket = { remoteAddress: handshake.address, encrypted: handshake.secure };
  }

  get connection(): this["socket"] {
    return this.socket;
  }
}

/** The URL with the parameters that the gateway tells of. */
function withQuery({ url, query }: Handshake): string {
  if (url.includes("?")) return url;
  const parameters = new URLSearchParams();
  for (const [name, values] of Object.entries(query)) {
    for (const value of Array.isArray(values) ? values : [values]) parameters.append(name, value);
  }
  return parameters.size > 0 ? `${url}?${parameters}` : url;
}

/** A middleware of HTTP servers, such as express-session's. */
export type HttpMiddleware = (request: any, response: any, next: (error?: unknown) => void) => void;

/**
 * Runs middlewares on a request whose answer was given by the gateway already: what they would answer is lost, and one that
 * ends the response refuses the client. The error that they end with, if any.
 */
export function runHttpMiddlewares(middlewares: readonly HttpMiddleware[], request: ClientRequest): Promise<unknown> {
  return new Promise((resolve) => {
    const response = new ServerResponse(request as unknown as IncomingMessage);
    response.end = () => {
      resolve(new Error("A middleware refused the connection."));
      return response;
    };
    const step = (index: number, error?: unknown) => {
      if (error || index === middlewares.length) return resolve(error);
      try {
        middlewares[index]!(request, response, (failure) => step(index + 1, failure));
      } catch (failure) {
        resolve(failure);
      }
    };
    step(0);
  });
}
