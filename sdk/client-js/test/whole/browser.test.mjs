import assert from "node:assert/strict";
import { test } from "node:test";
import { cluster, kept as keptRooms } from "../../../../tests/client/support/documents.mjs";
import { screenshot, useBrowser } from "../../../../tests/client/support/browser.mjs";
import { useGateway } from "../../../../tests/client/support/gateway.mjs";
import { until } from "../../../../tests/client/support/wait.mjs";
import { usePage } from "./support/page.mjs";
import { useClient, useWay } from "./support/use.mjs";

const gateway = await useGateway([cluster({ origins: ["http://localhost:*"] }), keptRooms]);
const url = await usePage();
const browser = await useBrowser();

/** Somebody with a good network, who writes down what the room is told. */
const witness = useClient(gateway, "witness");
const seen = [];
witness.room("kept-page").on("message", (data) => seen.push(data));
await witness.room("kept-page").join();

/** A tab in which ann is in the room, by a network that can be cut. */
async function tab(context, far) {
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(error));
  await begin(page, far);
  return page;
}

async function begin(page, far) {
  await page.goto(url);
  await page.waitForFunction(() => window.ready);
  await page.evaluate(([address, token]) => window.start(address, token), [far.wsUrl, gateway.token("ann")]);
}

const all = (count, name) => Array.from({ length: count }, (_, number) => `${name} ${number}`);
const publish = (page, data) =>
  page.evaluate((each) => each.map((one) => window.room.publish("message", one).catch(() => {})) && undefined, data);
const of = (list, name) => list.filter((data) => data.startsWith(`${name} `));
const got = (page) => page.evaluate(() => window.got);
/** How many publications are in the database of the page's outbox, whosever they are. */
const kept = (page) => page.evaluate(() => window.kept());
const state = (page) => page.evaluate(() => window.client.state.state);

test("a network that goes and comes back loses nothing and repeats nothing, both ways", async () => {
  const [context, far] = [await browser.newContext(), await useWay(gateway)];
  const page = await tab(context, far);
  far.way.cut();
  await context.setOffline(true);
  await publish(page, all(20, "mine"));
  await until("the page to find out", async () => (await state(page)) === "connecting");
  await screenshot(page, "client-js-away");
  for (const data of all(20, "theirs")) await witness.room("kept-page").publish("message", data);
  far.way.mend();
  await context.setOffline(false);
  await until("all messages", async () => (await got(page)).length >= 40 && of(seen, "mine").length >= 20);
  await screenshot(page, "client-js-back");
  assert.deepEqual(of(seen, "mine"), all(20, "mine"));
  assert.deepEqual(of(await got(page), "theirs"), all(20, "theirs"));
  assert.deepEqual(of(await got(page), "mine"), all(20, "mine"));
  await context.close();
});

test("a laptop that slept finds its dead connection by itself, and comes back", async () => {
  const [context, far] = [await browser.newContext(), await useWay(gateway)];
  const page = await tab(context, far);
  far.way.cut();
  for (const data of all(5, "night")) await witness.room("kept-page").publish("message", data);
  // The clock is an hour on when the machine wakes, and no event says that it slept.
  await page.evaluate(() => {
    const now = Date.now;
    Date.now = () => now() + 3_600_000;
  });
  await until("the page to find out", async () => (await state(page)) === "connecting");
  const reasons = await page.evaluate(() => window.states.map(([, , reason]) => reason));
  assert.ok(reasons.includes("silent"), reasons.join());
  far.way.mend();
  await until("all messages", async () => of(await got(page), "night").length >= 5);
  assert.deepEqual(of(await got(page), "night"), all(5, "night"));
  await context.close();
});

test("a tab that is seen again finds its dead connection by itself", async () => {
  const [context, far] = [await browser.newContext(), await useWay(gateway)];
  const page = await tab(context, far);
  far.way.cut();
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await until("the page to find out", async () => (await state(page)) === "connecting");
  far.way.mend();
  await until("the page to be back", async () => (await state(page)) === "connected");
  await context.close();
});

test("a reload with a full outbox loses nothing and repeats nothing", async () => {
  const [context, far] = [await browser.newContext(), await useWay(gateway)];
  const page = await tab(context, far);
  await publish(page, all(5, "before"));
  await until("those to be taken", async () => (await kept(page)) === 0);
  far.way.cut();
  await publish(page, all(50, "reload"));
  await until("all to be kept", async () => (await kept(page)) === 50);
  far.way.mend();
  await begin(page, far);
  await until("all messages", () => of(seen, "reload").length >= 50);
  await until("the outbox to be empty", () => page.evaluate(() => window.client.outbox.length === 0));
  assert.deepEqual(of(seen, "reload"), all(50, "reload"));
  assert.deepEqual(of(seen, "before"), all(5, "before"));
  await context.close();
});

test("what a closed tab has left another tab sends, once", async () => {
  const [context, far] = [await browser.newContext(), await useWay(gateway)];
  const [first, second] = [await tab(context, far), await tab(context, far)];
  far.way.cut();
  await publish(first, all(10, "first"));
  await publish(second, all(10, "second"));
  await until("all to be kept", async () => (await kept(first)) === 20);
  await first.close();
  far.way.mend();
  await begin(second, far);
  await until("all messages", () => of(seen, "first").length >= 10 && of(seen, "second").length >= 10);
  assert.deepEqual([of(seen, "first"), of(seen, "second")], [all(10, "first"), all(10, "second")]);
  await context.close();
});
