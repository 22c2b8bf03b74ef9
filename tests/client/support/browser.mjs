import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { freePorts } from "./ports.mjs";
import { Program } from "./process.mjs";
import { until } from "./wait.mjs";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const SERVE = fileURLToPath(new URL("../../../examples/chat/serve.mjs", import.meta.url));

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** A headless Chromium for the tests of one file. */
export async function useBrowser() {
  if (!existsSync(CHROMIUM)) {
    throw new Error(`There is no Chromium at ${CHROMIUM}. Install it (apt-get install chromium) or set CHROMIUM to its path.`);
  }
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  after(() => browser.close());
  return browser;
}

/** Serves the example chat for the tests of one file; resolves to its address. */
export async function useChatPage(gateway) {
  const [port] = await freePorts(1);
  const env = { PORT: String(port), GATEWAY_URL: gateway.url };
  const server = new Program(process.execPath, [SERVE, gateway.config], env);
  after(() => server.stop());
  const url = `http://localhost:${port}/`;
  await until("the chat page", () => {
    if (!server.running) throw new Error(`the chat page's server ended:\n${server.output}`);
    return fetch(url).then((answer) => answer.ok, () => false);
  });
  return url;
}

/** Saves a picture of `page` in the directory that SCREENSHOTS names, if it names one. */
export async function screenshot(page, name) {
  const directory = process.env.SCREENSHOTS;
  if (!directory) return;
  await mkdir(directory, { recursive: true });
  await page.screenshot({ path: join(directory, `${name}.png`) });
}

/** Takes the network from one tab (Chromium's own emulation); resolves to what gives it back. */
export async function takeNetwork(page) {
  const session = await page.context().newCDPSession(page);
  const emulate = (offline) => session.send("Network.emulateNetworkConditions", {
    offline, latency: 0, downloadThroughput: -1, uploadThroughput: -1,
  });
  await session.send("Network.enable");
  await emulate(true);
  return () => emulate(false);
}
