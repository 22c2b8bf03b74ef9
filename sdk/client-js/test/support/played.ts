import { Client, type ClientOptions } from "../../src/index.js";
import { FakeClock, settle } from "./clock.js";
import { FakeGateway } from "./gateway.js";

/** A client, with a clock and a gateway that are the test's. */
export function play(options: ClientOptions = {}) {
  const clock = new FakeClock();
  const gateway = new FakeGateway();
  const client = new Client("ws://gateway/ws", { clock, transport: gateway, ...options });
  return { client, clock, gateway };
}

/** The same, connected. */
export async function playConnected(options: ClientOptions = {}, greeting: object = {}) {
  const played = play(options);
  const connected = played.client.connect();
  await settle();
  await played.gateway.link.greet(greeting);
  await connected;
  return played;
}

/** Lets time go by until the client opens the connection after the first `before`. */
export async function nextLink(clock: FakeClock, gateway: FakeGateway, before: number): Promise<void> {
  for (let waited = 0; gateway.links.length === before; waited += 50) {
    if (waited > 60_000) throw new Error("the client did not come back");
    await clock.advance(50);
  }
}

/** The connection is lost, and the client lets in again. */
export async function comeBack(
  { clock, gateway }: { clock: FakeClock; gateway: FakeGateway },
  greeting: object = {},
  code = 1006,
) {
  const before = gateway.links.length;
  await gateway.link.close_(code);
  await nextLink(clock, gateway, before);
  await gateway.link.greet(greeting);
}
