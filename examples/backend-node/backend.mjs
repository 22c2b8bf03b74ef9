// A backend that answers what clients order, and tells the room "orders" of it. Run as many as
// you like: each event goes to one of them.
import { connect } from "@nats-io/transport-node";

/** `sluice.<namespace in Kubernetes, or default>.<name of the RealtimeCluster>` */
const prefix = process.env.SLUICE_PREFIX ?? "sluice.default.chat";

const nats = await connect({
  servers: (process.env.NATS_URL ?? "nats://localhost:4222").split(","),
  maxReconnectAttempts: -1,
  // Where a backend may have answers sent, and nobody else hears them.
  inboxPrefix: `_INBOX.${prefix}.backend`,
});

/** A name as one token of a subject: what is not a letter, a digit, - or _ becomes =XX. */
const token = (name) =>
  [...Buffer.from(name)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      const plain = /[A-Za-z0-9_-]/.test(character);
      return plain ? character : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    })
    .join("");

/** Calls an operation of the server API, as docs/openapi.json lists them. */
async function call(operation, request) {
  const answer = await nats.request(`${prefix}.api.${operation}`, JSON.stringify(request), { timeout: 5_000 });
  const result = answer.json();
  if (result.error) throw new Error(`${operation}: ${result.error.code}: ${result.error.message}`);
  return result;
}

/** Answers an event of the namespace / with what `handle` returns, or with the refusal it throws. */
function on(event, handle) {
  nats.subscribe(`${prefix}.up.${token("/")}.${token(event)}`, {
    queue: "backend",
    callback: async (error, message) => {
      if (error) throw error;
      const answer = await handle(message.json()).then(
        (data) => ({ ok: true, data }),
        (refused) => ({ ok: false, error: { code: refused.code ?? "failed", message: refused.message } }),
      );
      // A client that waits for no answer sends no reply subject.
      if (message.reply) message.respond(JSON.stringify(answer));
    },
  });
}

on("order", async ({ user, session, data }) => {
  if (!(data?.items > 0)) throw Object.assign(new Error("Order at least one item."), { code: "nothing_ordered" });
  const total = data.items * 3;
  // Its id makes it the same message if this is tried again.
  await call("publish", { room: "orders", event: "ordered", data: { user, total }, id: `${session}-${data.number}` });
  return { total };
});

await nats.flush();
console.log(`Answering orders on ${prefix}.up`);

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => nats.drain());
