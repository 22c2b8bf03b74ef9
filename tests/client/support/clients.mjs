import { describe } from "node:test";
import newest from "socket.io-client";
import early from "socket.io-client-4-0";
import { until, within } from "./wait.mjs";

const VERSIONS = [
  { version: "newest 4.x", io: newest, recovers: true },
  { version: "4.0.0", io: early, recovers: false },
];

const TRANSPORTS = [
  { way: "websocket only", transports: ["websocket"] },
  { way: "polling only", transports: ["polling"] },
  { way: "polling, then upgrade", transports: ["polling", "websocket"] },
];

/** Every stock client that is tested, over every way to connect. */
export const KINDS = VERSIONS.flatMap((version) =>
  TRANSPORTS.map((transport) => ({ name: `${version.version}, ${transport.way}`, ...version, ...transport })),
);

/** The kind for tests in which the client makes no difference. */
export const STOCK = KINDS[0];

/** Registers `tests(kind)` once for every kind of client. */
export function forEveryClient(name, tests) {
  for (const kind of KINDS) describe(`${name} (${kind.name})`, () => tests(kind));
}

/** Opens a stock client; `options` go to it as they are, over what `kind` says. */
export function open(gateway, kind, options = {}) {
  const { namespace = "/", ...rest } = options;
  const socket = kind.io(gateway.url + namespace, {
    transports: kind.transports,
    forceNew: true,
    reconnectionDelay: 20,
    reconnectionDelayMax: 100,
    ...rest,
  });
  gateway.whenStopped(() => socket.disconnect());
  return socket;
}

/** Resolves when the client is connected; rejects with what refused it. */
export function connected(socket) {
  return within("the connection", new Promise((resolve, reject) => {
    if (socket.connected) return resolve(socket);
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", reject);
  }));
}

/** A connected client of `user`, which signs in with a fresh token. */
export function enter(gateway, kind, user, { claims, ...options } = {}) {
  return connected(open(gateway, kind, { auth: { token: gateway.token(user, claims) }, ...options }));
}

/** What refused the connection: the error of `connect_error`. */
export function refusal(socket) {
  return within("a refusal", new Promise((resolve, reject) => {
    socket.once("connect_error", (error) => {
      socket.disconnect();
      resolve(error);
    });
    socket.once("connect", () => reject(new Error("the connection was accepted")));
  }));
}

/** Emits and resolves to the acknowledgement, whatever it says. */
export function ask(socket, event, ...args) {
  return within(
    `the acknowledgement of "${event}"`,
    new Promise((resolve) => socket.emit(event, ...args, resolve)),
  );
}

/** Emits and resolves to the acknowledgement, which must be `ok`. */
export async function must(socket, event, ...args) {
  const answer = await ask(socket, event, ...args);
  if (answer?.ok !== true) throw new Error(`"${event}" was refused: ${JSON.stringify(answer)}`);
  return answer;
}

/**
 * Cuts the transport without a goodbye, as a lost network does; the client then reconnects.
 *
 * An upgrade that is under way is waited for: closed in the middle of one, the stock client keeps
 * what came last in a buffer, does not count it as received, and shows it again after the
 * reconnect.
 */
export async function cut(socket) {
  const { engine, opts } = socket.io;
  await until("the upgrade", () => engine.transport.name === opts.transports.at(-1));
  engine.close();
}
