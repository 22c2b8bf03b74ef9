import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { spawn } from "node:child_process";
import { useGateway } from "../../../../tests/client/support/gateway.mjs";
import { sign } from "../../../../tests/client/support/tokens.mjs";
import { until } from "../../../../tests/client/support/wait.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const documents = readFileSync(path("../../../../examples/chat.yaml"), "utf8");
const [, key] = documents.match(/token-key: (\S*-key-\S*)$/m);
const gateway = await useGateway(documents);

/** The example as somebody runs it, and what it has shown. */
function run(user) {
  // From within the package it is found by its own name.
  mkdirSync(path("../../.build/example"), { recursive: true });
  copyFileSync(path("../../../../examples/client-node/chat.mjs"), path("../../.build/example/chat.mjs"));
  const env = { ...process.env, GATEWAY_URL: gateway.url, TOKEN: sign(key, { sub: user, roles: [] }) };
  const child = spawn(process.execPath, [path("../../.build/example/chat.mjs")], { env });
  after(() => child.kill());
  const shown = { text: "" };
  child.stdout.on("data", (text) => {
    shown.text += text;
  });
  child.stderr.on("data", (text) => {
    shown.text += text;
  });
  return { shown, says: (text) => child.stdin.write(`${text}\n`) };
}

test("two people chat in the terminal", async () => {
  const [ann, bob] = [run("ann"), run("bob")];
  await until(
    () => `both to be there: ${ann.shown.text}`,
    () => [ann, bob].every(({ shown }) => shown.text.includes("here: ann, bob")),
  );
  ann.says("hello");
  await until("the message", () => bob.shown.text.includes("ann: hello"));
  assert.ok(!bob.shown.text.includes("not sent"));
});
