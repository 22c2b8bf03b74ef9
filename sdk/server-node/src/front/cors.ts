import type { IncomingMessage } from "node:http";

type Origin = string | RegExp;

/** Which pages of other origins may ask, as the `cors` package has it. */
export interface CorsOptions {
  origin?: boolean | Origin | Origin[];
  methods?: string | string[];
  allowedHeaders?: string | string[];
  exposedHeaders?: string | string[];
  credentials?: boolean;
  maxAge?: number;
}

const list = (value: string | string[]) => (Array.isArray(value) ? value.join(",") : value);

/** The headers of an answer to a request of a page; none where its origin may not ask. */
export function corsHeaders(options: CorsOptions, request: IncomingMessage): Record<string, string> {
  const { origin } = request.headers;
  if (origin === undefined || !allows(options, origin)) return {};
  const headers: Record<string, string> = { "access-control-allow-origin": origin, vary: "Origin" };
  if (options.credentials) headers["access-control-allow-credentials"] = "true";
  if (options.exposedHeaders) headers["access-control-expose-headers"] = list(options.exposedHeaders);
  if (request.method !== "OPTIONS") return headers;
  headers["access-control-allow-methods"] = list(options.methods ?? "GET,HEAD,PUT,PATCH,POST,DELETE");
  const allowed = options.allowedHeaders ?? request.headers["access-control-request-headers"];
  if (allowed) headers["access-control-allow-headers"] = list(allowed);
  if (options.maxAge !== undefined) headers["access-control-max-age"] = String(options.maxAge);
  return headers;
}

/** Whether pages of the origin may ask. */
export function allows({ origin: allowed = "*" }: CorsOptions, origin: string): boolean {
  if (typeof allowed === "boolean") return allowed;
  const some = Array.isArray(allowed) ? allowed : [allowed];
  return some.some((one) => (typeof one === "string" ? one === "*" || one === origin : one.test(origin)));
}
