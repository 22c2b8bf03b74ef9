import { after } from "node:test";
import { SIGNING_KEY, kept } from "../../client/support/documents.mjs";
import { needed } from "../../client/support/process.mjs";
import { sign } from "../../client/support/tokens.mjs";
import { fleetCluster } from "./documents.mjs";
import { Fleet } from "./fleet.mjs";
import { Nats } from "./nats.mjs";

/**
 * A fleet over one nats-server for the tests of one file, which is stopped after the last of them:
 * `{nats, fleet, documents}`. `spec` overrides fields of the RealtimeCluster; `rooms` are its Rooms.
 */
export async function useFleet({ size = 3, spec = {}, rooms = [kept] } = {}) {
  const nats = await needed(Nats.start());
  after(() => nats.stop());
  const documents = [fleetCluster(nats.url, spec), ...rooms];
  const fleet = await needed(Fleet.start(size, documents));
  // Hooks run in the order of their registration, and gateways end at once either way.
  after(() => fleet.stop());
  return { nats, fleet, documents };
}

/**
 * What clients of the tests connect to in a gateway's place: a balancer, or one address that leads
 * to different gateways at different times.
 */
export function door(balancer) {
  const closers = [];
  after(() => {
    for (const close of closers) close();
    balancer.close();
  });
  return {
    url: balancer.url,
    wsUrl: balancer.wsUrl,
    token: (user, claims = {}) => sign(SIGNING_KEY, { sub: user, ...claims }),
    whenStopped: (close) => closers.push(close),
    /** From now on, what connects comes to these gateways. */
    to: (...gateways) => balancer.serve(gateways.map(({ port }) => port)),
  };
}
