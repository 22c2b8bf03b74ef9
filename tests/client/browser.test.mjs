import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { screenshot, takeNetwork, useBrowser, useChatPage } from "./support/browser.mjs";
import { useGateway } from "./support/gateway.mjs";

const gateway = await useGateway(await readFile(new URL("../../examples/chat.yaml", import.meta.url), "utf8"));
const url = await useChatPage(gateway);
const browser = await useBrowser();
const complaints = [];

/** A tab, in front in its own window, in which `name` is signed in and sees the lobby. */
async function tab(name) {
  const page = await browser.newPage({ viewport: { width: 1180, height: 720 } });
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => complaints.push(`${name}: ${error.message}`));
  await page.goto(`${url}?name=${name}`);
  await page.locator("#status[data-state=connected]").waitFor();
  await page.locator("#people", { hasText: `${name} (you)` }).waitFor();
  return page;
}

async function say(page, text) {
  await page.getByLabel("Message", { exact: true }).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

const sent = (page, text) => page.locator(".message[data-state=sent] .text", { hasText: text });
const sees = (page, text) => sent(page, text).waitFor();
const texts = (page) => page.locator(".message .text").allTextContents();

const ada = await tab("ada");
const bob = await tab("bob");

test("two tabs chat both ways and mark their own messages", async () => {
  await say(ada, "Hello from Ada");
  await sees(bob, "Hello from Ada");
  await say(bob, "Hi Ada, Bob here");
  await sees(ada, "Hi Ada, Bob here");
  assert.equal(await ada.locator(".message.own").count(), 1);
  assert.equal(await bob.locator(".message.own .text").textContent(), "Hi Ada, Bob here");
});

test("each sees who is there, and who comes and goes", async () => {
  const people = ada.locator("#people");
  await people.getByText("bob").waitFor();
  const carol = await tab("carol");
  await people.getByText("carol").waitFor();
  await carol.getByRole("link", { name: "Leave" }).click();
  await carol.getByLabel("Your name").waitFor();
  await people.getByText("carol").waitFor({ state: "detached" });
});

test("a reload brings the history back", async () => {
  await bob.reload();
  await sees(bob, "Hello from Ada");
  await sees(bob, "Hi Ada, Bob here");
  assert.deepEqual(await texts(bob), ["Hello from Ada", "Hi Ada, Bob here"]);
});

test("a direct message reaches its user and shows as unread until it is opened", async () => {
  await bob.locator("#people").getByText("ada").click();
  await say(bob, "Just between us");
  const entry = ada.locator("#directs button", { hasText: "bob" });
  await entry.getByLabel("1 unread").waitFor();
  await screenshot(ada, "unread");
  await entry.click();
  await sees(ada, "Just between us");
  await say(ada, "Understood");
  await sees(bob, "Understood");
  for (const page of [ada, bob]) await page.locator("#rooms").getByText("lobby").click();
});

test("what the room refuses is said, and why", async () => {
  await bob.locator("#rooms").getByText("announcements").click();
  await say(bob, "I am not the admin");
  await bob.locator(".message[data-state=failed]", { hasText: "Not sent" }).waitFor();
  await bob.getByPlaceholder("Join another room").fill("support-ada");
  await bob.getByRole("button", { name: "Join" }).click();
  await bob.locator("#notice", { hasText: "support-ada" }).waitFor();
  await bob.locator("#rooms").getByText("lobby").click();
});

test("a lost network is shown, and what was missed comes back once and in order", async () => {
  const status = ada.locator("#status");
  const giveBack = await takeNetwork(ada);
  await ada.locator("#status[data-state=reconnecting]").waitFor();
  for (const text of ["While you were away 1", "While you were away 2", "While you were away 3"]) {
    await say(bob, text);
    await sees(bob, text);
  }
  await say(ada, "Written without a network");
  await ada.locator(".message[data-state=pending]", { hasText: "Written without a network" }).waitFor();
  await screenshot(ada, "reconnecting");
  await giveBack();
  await status.getByText("recovered, 3 messages caught up").waitFor();
  await sees(ada, "Written without a network");
  await sees(bob, "Written without a network");
  const conversation = [
    "Hello from Ada", "Hi Ada, Bob here",
    "While you were away 1", "While you were away 2", "While you were away 3",
    "Written without a network",
  ];
  assert.deepEqual(await texts(ada), conversation);
  assert.deepEqual(await texts(bob), conversation);
  await screenshot(ada, "recovered");
  await screenshot(bob, "other-tab");
});

test("the button alone shows a reconnect with recovery", async () => {
  await bob.getByRole("button", { name: "Drop the network" }).click();
  await bob.locator("#status").getByText("recovered, 0 messages caught up").waitFor();
});

test("the page made no mistakes meanwhile", () => {
  assert.deepEqual(complaints, []);
});
