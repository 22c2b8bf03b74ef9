import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const WHERE = fileURLToPath(new URL("../../scripts/where", import.meta.url));
const found = new Map();

/** The path of a program that is not built here, such as nats-server or kubectl, as `scripts/where` finds it. */
export function program(name) {
  if (!found.has(name)) found.set(name, lookFor(name));
  return found.get(name);
}

function lookFor(name) {
  const { status, stdout, stderr, error } = spawnSync(WHERE, [name], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr || error?.message);
  return stdout.trim();
}
