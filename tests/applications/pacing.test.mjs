import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { next, until } from "../client/support/wait.mjs";
import { Place } from "./support/place.mjs";

const place = await Place.use(1);
afterEach(() => place.end());

const COUNT = 300;
const TEXT = "x".repeat(10_000);

function counting() {
  const io = place.server();
  const taken = [];
  io.on("connection", (socket) =>
    socket.on("count", (number, _, answer) => {
      taken.push(number);
      answer(number);
    }),
  );
  return { io, taken };
}

describe("a client that sends more than may wait for an instance", () => {
  for (const transport of ["websocket", "polling"]) {
    test(`stays connected over ${transport}, and all that it sent is handled in its order`, async () => {
      const first = counting();
      const client = place.client("/", { transports: [transport] });
      await next(client, "connect");
      const reasons = [];
      client.on("disconnect", (reason) => reasons.push(reason));
      await first.io.leave();
      const answers = [];
      for (let number = 0; number < COUNT; number++) client.emit("count", number, TEXT, (answer) => answers.push(answer));
      await until("it is not read", async () => {
        const metrics = await (await fetch(`${place.gateways[0].opsUrl}/metrics`)).text();
        return /^sluice_application_paused_sessions 1$/m.test(metrics);
      });
      const second = counting();
      await until("all are answered", () => answers.length === COUNT);
      const all = Array.from({ length: COUNT }, (_, number) => number);
      assert.deepEqual(second.taken, all);
      assert.deepEqual(answers, all);
      assert.deepEqual(reasons, []);
    });
  }
});
