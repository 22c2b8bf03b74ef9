// A process of a crowd: its clients and publishers, and the orders that they get.
import { NativeClient } from "./native-client.mjs";
import { Publisher, byServerApi } from "./publisher.mjs";
import { StockClient } from "./stock-client.mjs";

/** Clients that connect at the same time in the beginning. */
const AT_ONCE = 20;

const clients = [];
const publishers = [];

const orders = {
  /** Opens all clients and resolves when they are in their rooms. */
  async open({ addresses, members, sources }) {
    for (let first = 0; first < members.length; first += AT_ONCE) {
      await Promise.all(members.slice(first, first + AT_ONCE).map((member) => client({ ...addresses, ...member }).entered));
    }
    await Promise.all(sources.map((source) => publisher(addresses, source)));
  },

  begin() {
    for (const { ledger } of clients) ledger.begin();
    for (const one of publishers) one.begin();
  },

  publish() {
    for (const one of publishers) one.start();
  },

  /** Ends publishing; resolves when all that was sent is acknowledged. */
  quiet: () => Promise.all(publishers.map((one) => one.stop())).then(() => undefined),

  /** How far things are: clients that are away, messages that were acknowledged and refused. */
  status: () => ({
    away: clients.filter(({ ledger }) => ledger.away).length,
    lost: clients.reduce((sum, { ledger }) => sum + ledger.events.filter(({ type }) => type === "lost").length, 0),
    acked: publishers.reduce((sum, { acked }) => sum + acked.length, 0),
    refused: publishers.flatMap(({ refused }) => Object.values(refused)).reduce((sum, count) => sum + count, 0),
  }),

  /** How many deliveries are still to come, of the messages named by room as `publisher:n`. */
  missing: (wanted) => clients.reduce((sum, { ledger }) => sum + missing(ledger, wanted), 0),

  acked: () => publishers.flatMap(({ name, acked }) => acked.map(([room, n]) => [room, `${name}:${n}`])),

  records: () => ({
    members: clients.map(({ ledger }) => ledger.record()),
    publishers: publishers.map((one) => one.record()),
  }),

  close() {
    for (const one of clients) one.close();
  },
};

function client(settings) {
  const one = settings.kind === "native" ? new NativeClient(settings) : new StockClient(settings);
  clients.push(one);
  return one;
}

/** A publisher by a client of its own, which is in no room, or by the server API. */
async function publisher(addresses, { kind, name, rooms, rate }) {
  const source = kind === "api" ? undefined : client({ ...addresses, kind, name, rooms: [], transports: ["websocket"] });
  await source?.entered;
  const send = source ? source.publish.bind(source) : byServerApi(addresses.apiUrl);
  publishers.push(new Publisher({ name, rooms, rate, send }));
}

function missing({ rooms, messages }, wanted) {
  const seen = new Set(messages.map(([room, by, n]) => `${room} ${by}:${n}`));
  return rooms.flatMap((room) => (wanted[room] ?? []).filter((key) => !seen.has(`${room} ${key}`))).length;
}

process.once("disconnect", () => process.exit());
process.on("message", async ({ id, order, details }) => {
  try {
    process.send({ id, result: await orders[order](details) });
  } catch (error) {
    process.send({ id, error: error.stack });
  }
});
