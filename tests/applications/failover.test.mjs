import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { next, until } from "../client/support/wait.mjs";
import { Place } from "./support/place.mjs";

const place = await Place.use(2);
afterEach(() => place.end());

/** A client that asks again and again, one question after the other, and keeps what it is answered. */
class Asking {
  answers = [];
  disconnects = 0;
  #asked = 0;
  #stopped = false;

  constructor(client) {
    this.client = client;
    client.on("disconnect", () => this.disconnects++);
  }

  async run() {
    while (!this.#stopped) {
      this.answers.push(await this.client.emitWithAck("count", ++this.#asked));
      await new Promise((then) => setTimeout(then, 5));
    }
  }

  stop() {
    this.#stopped = true;
  }
}

async function crowd(count) {
  const asking = Array.from({ length: count }, (_, number) => new Asking(place.client("/", {}, number % 2)));
  await Promise.all(asking.map(({ client }) => next(client, "connect")));
  const done = Promise.all(asking.map((one) => one.run()));
  return { asking, stop: async () => {
    for (const one of asking) one.stop();
    await done;
  } };
}

const byAll = (asking, name) => asking.every(({ answers }) => answers.at(-1)?.by === name);

describe("clients of an application", () => {
  test("stay connected while instances are replaced, and each event is handled once", async () => {
    const first = await place.instance("first");
    const { asking, stop } = await crowd(20);
    await until("all are answered", () => byAll(asking, "first"));
    await place.instance("second");
    first.signal("SIGTERM");
    await until("all are answered by the next", () => byAll(asking, "second"));
    await until("the first has ended", () => !first.running);
    await stop();
    for (const { answers, disconnects } of asking) {
      assert.equal(disconnects, 0);
      assert.deepEqual(answers.map(({ number }) => number), answers.map((_, index) => index + 1));
      assert.deepEqual(answers.map(({ counted }) => counted), answers.map((_, index) => index + 1));
      assert.ok(answers.every(({ repeated }) => !repeated));
    }
  });

  test("stay connected while an instance is killed, and each event is handled", async () => {
    const first = await place.instance("first");
    const { asking, stop } = await crowd(20);
    await until("all are answered", () => byAll(asking, "first"));
    await place.instance("second");
    first.signal("SIGKILL");
    await until("all are answered by the next", () => byAll(asking, "second"));
    await stop();
    for (const { answers, disconnects } of asking) {
      assert.equal(disconnects, 0);
      assert.deepEqual(answers.map(({ number }) => number), answers.map((_, index) => index + 1));
    }
  });

  test("go to another instance while theirs is stopped", async () => {
    const first = await place.instance("first");
    const { asking, stop } = await crowd(6);
    await until("all are answered", () => byAll(asking, "first"));
    await place.instance("second");
    first.signal("SIGSTOP");
    await until("all are answered by the next", () => byAll(asking, "second"));
    first.signal("SIGCONT");
    await stop();
    for (const { disconnects } of asking) assert.equal(disconnects, 0);
  });
});
