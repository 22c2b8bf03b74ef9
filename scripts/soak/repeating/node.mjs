import { readdirSync } from "node:fs";
import { run } from "./program.mjs";

const FOLDERS = ["tests/client", "tests/fleet"];

/** Files run through tests of a minute, and print nothing of one before it has ended. */
const PATIENCE = 5;

/** The Node tests: a unit for each file. */
export function nodeUnits(chosen) {
  return FOLDERS.flatMap((group) =>
    readdirSync(group)
      .map((file) => `${group}/${file}`)
      .filter((path) => path.endsWith(".test.mjs") && chosen.test(path))
      .map((path) => ({ group, tests: [path], runs: 0, run: (prefix, { bound }) => runFile(prefix, path, bound * PATIENCE) })),
  );
}

async function runFile(prefix, path, bound) {
  const { output, silent, ended } = await run([...prefix, "node", "--test", "--test-reporter", "tap", path], { bound });
  if (silent) return { ran: [path], failed: [path], output: `${output}\nIt printed nothing for too long, and was killed.\n` };
  const results = [...output.matchAll(/^\s*(not )?ok \d+ - (.+?)( # .+)?$/gm)];
  const named = (results) => results.map((match) => `${path}: ${match[2]}`);
  const failed = named(results.filter((match) => match[1]));
  return { ran: [path, ...named(results)], failed: ended === 0 ? [] : failed.length ? failed : [path], output };
}
