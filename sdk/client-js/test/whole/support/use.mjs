import { after } from "node:test";
import WebSocket from "ws";
import { Client } from "@sluice/client";
import { Link } from "../../../../../tests/fleet/support/link.mjs";

/** A client of this gateway for one user, which is ended after the tests; `options` as the library takes them. */
export function useClient(gateway, user, options = {}) {
  const client = new Client(gateway.wsUrl, { WebSocket, getToken: () => gateway.token(user), ...options });
  after(() => client.disconnect());
  return client;
}

/** A stretch of network to the gateway, which can be cut and mended; clients take it as they take a gateway. */
export async function useWay(gateway) {
  const way = await Link.open(gateway.port);
  after(() => way.close());
  return { way, wsUrl: `ws://127.0.0.1:${way.port}/ws`, token: (user, claims) => gateway.token(user, claims) };
}
