import { readFileSync } from "node:fs";
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";
import type { NatsOptions } from "./options.js";

/**
 * How the client library of NATS is to connect: it waits until NATS is there, comes back whenever it is again, and reads
 * credentials anew each time, since they may have been replaced.
 */
export function connectionOptions(nats: NatsOptions, name: string): NodeConnectionOptions {
  return {
    servers: nats.servers,
    name,
    user: nats.user,
    pass: nats.password,
    token: nats.token,
    tls: nats.tls,
    authenticator: nats.credentials ? credentials(nats.credentials) : undefined,
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    ignoreAuthErrorAbort: true,
    pingInterval: 5000,
    maxPingOut: 2,
  } satisfies ConnectionOptions as NodeConnectionOptions;
}

function credentials(given: string): Authenticator {
  return (nonce) => {
    const text = given.includes("-----BEGIN") ? given : readFileSync(given, "utf8");
    return credsAuthenticator(Buffer.from(text))(nonce);
  };
}
