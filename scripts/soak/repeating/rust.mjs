import { spawnSync } from "node:child_process";
import { run } from "./program.mjs";

/** How many seeds a simulation is run with here, each time others. */
const SEEDS = 5;

/** The Rust tests, built once: a unit for each test program, or only for those of the name `target`. */
export function rustUnits(target, chosen) {
  // Always for the whole workspace: for one crate, Cargo would build what it depends on anew, with other features.
  const built = spawnSync("scripts/test-programs", ["--workspace", ...(target ? ["--test", target] : [])], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (built.status !== 0) process.exit(1);
  const programs = built.stdout.split("\n").filter(Boolean).map((line) => line.split("\t"));
  return programs.flatMap(([group, path, folder]) => {
    const program = { group, path, folder };
    const tests = names(program).filter((name) => chosen.test(`${group} ${name}`));
    return tests.length ? [unit(program, tests, 0)] : [];
  });
}

function names({ path, folder }) {
  const list = spawnSync(path, ["--list", "--format", "terse"], { cwd: folder, encoding: "utf8" });
  return [...list.stdout.matchAll(/^(.+): test$/gm)].map((match) => match[1]);
}

/** Tests of one program, which run one after the other in one process. */
function unit(program, tests, runs) {
  const half = Math.ceil(tests.length / 2);
  return {
    group: program.group,
    tests,
    runs,
    run: (prefix, { bound, round }) => runTests(prefix, program, tests, bound, round),
    split: tests.length > 1 && function () {
      return [tests.slice(0, half), tests.slice(half)].map((part) => unit(program, part, this.runs));
    },
  };
}

async function runTests(prefix, { path, folder }, tests, bound, round) {
  const env = { SLUICE_SIM_FIRST: `${1_000 + round * SEEDS}`, SLUICE_SIM_RUNS: `${SEEDS}`, ...process.env };
  const options = ["--exact", "--include-ignored", "--test-threads", "1"];
  return judge(await run([...prefix, path, ...options, ...tests], { cwd: folder, env, bound }));
}

/** Which tests ran, and which of them failed; of a process that died, the one that it was in. */
function judge({ output, silent, ended }) {
  const ran = [...output.matchAll(/^test (\S+)(?: - should panic)? \.\.\. /gm)].map((match) => match[1]);
  if (/^test result: /m.test(output)) {
    const list = output.split("\nfailures:\n").at(-1);
    const failed = [...list.matchAll(/^ {4}(\S+)$/gm)].map((match) => match[1]);
    return { ran, failed: ended === 0 ? [] : failed, output };
  }
  const why = silent ? "It printed nothing for too long, and was killed." : `It ended by ${ended}.`;
  return { ran, failed: ran.slice(-1), output: `${output}\n${why}\n` };
}
