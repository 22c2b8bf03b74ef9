import { parseObject } from "../link/beats/beat.js";

/** What a client's wish to enter a namespace says, as the protocol's `connect` has it. */
export interface ConnectRequest {
  readonly session: string;
  readonly connection: string;
  readonly namespace: string;
  readonly user: string | undefined;
  readonly claims: Record<string, unknown> | undefined;
  readonly auth: Record<string, any>;
  readonly handshake: HandshakeOnWire;
  readonly transport: string;
  readonly why: "new" | "recovered" | "handover";
  readonly rooms: readonly string[];
  readonly data: Record<string, any>;
  readonly rev: number;
  readonly doubt: number;
}

export interface HandshakeOnWire {
  readonly headers: Record<string, string>;
  readonly query: Record<string, string>;
  readonly address: string;
  readonly secure: boolean;
  readonly time: string;
  readonly url: string;
  readonly xdomain: boolean;
}

/** Reads a `connect`. What it leaves out is empty; `undefined` if it does not even say who wants to go where. */
export function parseConnect(bytes: Uint8Array | undefined): ConnectRequest | undefined {
  const json = bytes && parseObject(bytes);
  return json && parseConnectJson(json);
}

/** As `parseConnect`, of its object; the sessions of a list are told in the same words. */
export function parseConnectJson(json: Record<string, unknown>): ConnectRequest | undefined {
  if (typeof json.session !== "string" || typeof json.namespace !== "string") return undefined;
  return {
    session: json.session,
    connection: String(json.connection ?? json.session),
    namespace: json.namespace,
    user: typeof json.user === "string" ? json.user : undefined,
    claims: objectOr(json.claims, undefined),
    auth: objectOr(json.auth, {}),
    handshake: parseHandshake(objectOr(json.handshake, {})),
    transport: json.transport === "websocket" ? "websocket" : "polling",
    why: json.why === "recovered" || json.why === "handover" ? json.why : "new",
    rooms: textsOf(json.rooms),
    data: objectOr(json.data, {}),
    rev: numberOr(json.rev, 0),
    doubt: numberOr(json.doubt, 0),
  };
}

function parseHandshake(json: Record<string, unknown>): HandshakeOnWire {
  return {
    headers: objectOr(json.headers, {}),
    query: objectOr(json.query, {}),
    address: typeof json.address === "string" ? json.address : "",
    secure: json.secure === true,
    time: typeof json.time === "string" ? json.time : new Date().toString(),
    url: typeof json.url === "string" ? json.url : "/socket.io/",
    xdomain: json.xdomain === true,
  };
}

/** The texts of a JSON array. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function objectOr<Or>(value: unknown, or: Or): Record<string, any> | Or {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, any>) : or;
}

function numberOr(value: unknown, or: number): number {
  return typeof value === "number" ? value : or;
}
