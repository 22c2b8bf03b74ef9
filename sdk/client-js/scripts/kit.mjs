#!/usr/bin/env node
// Plays the kit's scenarios with this library, then with mutants of it, each of which must fail at least one: a kit
// that a library without an outbox passes would say nothing.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "esbuild";

process.chdir(new URL("..", import.meta.url).pathname);

/** What is taken away of the library, where, and which scenarios are played without it. */
const MUTANTS = [
  {
    name: "no-outbox",
    file: "src/core/outbox.ts",
    from: "lane.onItsWay = false;\n      lane.notBefore = 0;",
    to: "while (lane.items[0]) failed.push(this.#fail(lane, lane.items[0], inDoubt()));",
    scenarios: ["retry-same-id", "outbox"],
  },
  {
    name: "no-probe",
    file: "src/core/probe.ts",
    from: "this.#looked = now;\n    if",
    to: 'this.#looked = now;\n    if (now > 0) return "fine";\n    if',
    scenarios: ["silent-after-request", "silent-beyond-interval"],
  },
  {
    name: "no-jitter",
    file: "src/core/backoff.ts",
    from: "return least + random * most;",
    to: "return least + most + 0 * random;",
    scenarios: ["storm"],
  },
];

/** Plays scenarios, all unless they are named; resolves to how that ended, and what was said. */
function kit(scenarios, env = {}) {
  const options = ["../kit/kit.mjs", "node", "test/kit/driver.mjs", ...(scenarios.length ? ["--", ...scenarios] : [])];
  return new Promise((resolve) => {
    execFile("node", options, { env: { ...process.env, ...env } }, (error, output, errors) => {
      resolve({ status: error ? error.code : 0, said: output + errors });
    });
  });
}

/** Builds the library with one thing changed. */
async function mutate({ name, file, from, to }) {
  const path = resolve(file);
  const source = readFileSync(path, "utf8");
  if (!source.includes(from))
    throw new Error(`the mutant ${name} has nothing to change in ${file}: mend scripts/kit.mjs`);
  const change = {
    name,
    setup: ({ onLoad }) =>
      onLoad({ filter: /\.ts$/ }, (args) =>
        args.path === path ? { contents: source.replace(from, to), loader: "ts" } : undefined,
      ),
  };
  const outfile = resolve(`.build/mutants/${name}.mjs`);
  await build({
    entryPoints: ["src/index.ts"],
    bundle: true,
    format: "esm",
    target: "es2022",
    outfile,
    plugins: [change],
    logLevel: "warning",
  });
  return outfile;
}

async function playMutant(mutant) {
  const { status } = await kit(mutant.scenarios, { SLUICE_CLIENT: await mutate(mutant) });
  if (status === 1) return console.log(`✔ ${mutant.name} fails`);
  console.log(`✖ ${mutant.name} passes ${mutant.scenarios.join(" and ")}, which should notice it`);
  process.exitCode = 1;
}

const { status, said } = await kit([]);
process.stdout.write(said);
process.exitCode = status;
await Promise.all(MUTANTS.map(playMutant));
