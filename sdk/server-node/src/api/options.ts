import type { CorsOptions } from "../front/cors.js";
import type { LinkOptions } from "../link/options.js";

/** What Socket.IO takes as an adapter. */
export type AdapterOption = (new (namespace: any) => object) | ((namespace: any) => object);

/** What a server can be told. */
export interface ServerOptions extends LinkOptions {
  /**
   * The address of a gateway, such as `http://localhost:8080`, to which this process hands on what clients send it. It is
   * for one's own machine: in a cluster, clients go to the gateways. Else `SLUICE_GATEWAY`.
   */
  gateway: string | (() => string | Promise<string>);
  /** The path of Socket.IO at this process, where it hands on: `/socket.io` unless given. */
  path: string;
  /** Whether this process serves the client's bundle under `path`, where `socket.io-client` is installed. It is `true` unless given. */
  serveClient: boolean;
  /** Which pages of other origins may come to this process, where it hands on. At the gateways, `spec.origins` says that. */
  cors: CorsOptions;
  /** Whether a client may connect, by the request that its connection began with, or what the gateway tells of that. */
  allowRequest: (request: any, then: (error: string | null | undefined, success: boolean) => void) => void;
  /** How sessions that were recovered are treated. How long a session waits for its client is the gateways' to know. */
  connectionStateRecovery: {
    /** Whether they pass by the middlewares of namespaces. It is `true` unless given. */
    skipMiddlewares?: boolean;
    [other: string]: unknown;
  };
  /** Whether a namespace that a pattern or a function allowed is forgotten with its last session. */
  cleanupEmptyChildNamespaces: boolean;
  /** On which signals the instance leaves in order, so that its sessions go to others: `["SIGTERM"]` unless given. */
  leaveOn: NodeJS.Signals[];
  /** Not needed: the gateways reach all sessions. */
  adapter: AdapterOption;
  /** An option of Socket.IO's that is the gateways': a warning says what there is instead. */
  [ofTheGateways: string]: unknown;
}

const AT = "of the RealtimeCluster";

/** Options of Socket.IO's that have no meaning here, with what there is instead. */
const INSTEAD: Record<string, string> = {
  adapter: "It is not needed: the gateways reach all sessions.",
  cors: `Say spec.origins ${AT}.`,
  cookie: "Sessions need no cookie: no sticky sessions are needed.",
  maxHttpBufferSize: `Say spec.limits.payloadBytes ${AT}.`,
  pingInterval: `Say spec.heartbeat ${AT}.`,
  pingTimeout: `Say spec.heartbeat ${AT}.`,
  perMessageDeflate: `Say spec.gateway.compression ${AT}.`,
  httpCompression: `Say spec.gateway.compression ${AT}.`,
  transports: "Gateways speak polling and WebSocket.",
  allowUpgrades: "Gateways speak polling and WebSocket.",
  allowEIO3: "Clients of Socket.IO 3 and newer are served.",
  parser: "Gateways speak Socket.IO's default encoding.",
  wsEngine: "The gateways have their own.",
};

/** Tells a person once of options that mean nothing here. */
export function warnOf(options: Partial<ServerOptions>, hasFront = false): void {
  for (const [option, instead] of Object.entries(INSTEAD)) {
    if (hasFront && option === "cors") continue;
    if (options[option] !== undefined) process.emitWarning(`The option ${option} of Server does nothing. ${instead}`);
  }
}
