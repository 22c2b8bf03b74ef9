import { execFile, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { until } from "../../client/support/wait.mjs";

const run = promisify(execFile);

/** How often the API server is asked for what is waited for, in milliseconds. */
const LOOK = 500;
/** How long the API server may take for an answer, in milliseconds. */
const ANSWER = 120_000;
const LARGEST = 64 << 20;

/** What kubectl prints; rejects with what it says if it fails. `input` is its standard input. */
export async function kubectl(args, input) {
  const running = run("kubectl", args, { maxBuffer: LARGEST, timeout: ANSWER });
  if (input !== undefined) running.child.stdin.end(input);
  try {
    return (await running).stdout;
  } catch (error) {
    throw new Error(`kubectl ${args.join(" ")}: ${error.stderr || error.message}`);
  }
}

/** An object, or a list's items with `-l` and the like among `rest`; undefined if it is not there. */
export async function get(namespace, kind, name, ...rest) {
  const which = name === undefined ? [] : [name];
  const text = await kubectl(["get", "-n", namespace, kind, ...which, ...rest, "-o", "json", "--ignore-not-found"]);
  if (!text) return name === undefined ? [] : undefined;
  const object = JSON.parse(text);
  return object.kind === "List" ? object.items : object;
}

/** Gives objects to the API server: a text of YAML, or objects. */
export function apply(namespace, documents) {
  const text = typeof documents === "string" ? documents
    : JSON.stringify({ apiVersion: "v1", kind: "List", items: [documents].flat() });
  return kubectl(["apply", "-n", namespace, "-f", "-"], text);
}

/** Merges `change` into an object. */
export function patch(namespace, kind, name, change, ...rest) {
  return kubectl(["patch", "-n", namespace, kind, name, "--type=merge", "-p", JSON.stringify(change), ...rest]);
}

/** Resolves to what `condition` gives once it is truthy; the API server may be away meanwhile. */
export function eventually(what, condition, patience = 180_000) {
  let last;
  return until(() => `${typeof what === "function" ? what() : what}${last ? `; the last answer: ${last}` : ""}`, async () => {
    await pause(LOOK);
    return condition().catch((error) => { last = error.message; });
  }, patience);
}

/** Resolves when there is nothing left of a kind that `-l selector` picks. */
export function gone(namespace, kind, selector, patience) {
  return eventually(`${kind} with ${selector} to go`, async () =>
    (await get(namespace, kind, undefined, "-l", selector)).length === 0, patience);
}

/** A helm command's output. */
export async function helm(...args) {
  try {
    return (await run("helm", args, { maxBuffer: LARGEST, timeout: 600_000 })).stdout;
  } catch (error) {
    throw new Error(`helm ${args.join(" ")}: ${error.stderr || error.message}`);
  }
}

/** A namespace that takes only pods which the Pod Security Standard `restricted` allows. */
export function restricted(name, labels = {}) {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted", ...labels } },
  };
}

/** Follows `kubectl get --watch`; resolves to `{changes, stop}`, `changes` being every state that was seen. */
export function watch(namespace, kind, name) {
  const changes = [];
  const child = spawn("kubectl", ["get", "-n", namespace, kind, name, "--watch", "-o", "json"], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
    const parts = text.split(/\n(?=\{)/);
    text = parts.pop();
    for (const part of parts) changes.push(JSON.parse(part));
  });
  return { changes, stop: () => child.kill() };
}
