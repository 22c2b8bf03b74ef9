import { cluster, room } from "../../client/support/documents.mjs";

/** A drain that takes seconds and not minutes. */
const drain = { settle: "1s", window: "3s", connectionsPerSecond: 500, deadline: "20s" };

/** The RealtimeCluster of a fleet over the NATS at `url`; `spec` overrides whole fields of the spec. */
export function fleetCluster(url, spec = {}) {
  return cluster({ drain, backbone: { nats: { external: { url } } }, ...spec });
}

/** The rooms of the crowd: all that is published is kept, and nothing is announced. */
export const crowded = room("crowded", "crowd-*", { history: { maxMessages: 100_000, maxAge: "1h" } });
