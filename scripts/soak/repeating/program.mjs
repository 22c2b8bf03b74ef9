import { spawn } from "node:child_process";

/** What is kept of a program's output: its end, where a failure is told. */
const KEPT = 1_000_000;

/**
 * Runs a program to its end, or kills it and what it has started once it has printed nothing for `bound`
 * milliseconds. Resolves to `{ output, silent, ended }`: what it printed, whether it was killed, and how it ended.
 */
export function run([command, ...args], { bound, ...options }) {
  const program = spawn(command, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let [output, silent] = ["", false];
  const kill = () => {
    try {
      process.kill(-program.pid, "SIGKILL");
    } catch {
      // It has ended, and so has all that it started.
    }
  };
  const giveUp = () => {
    silent = true;
    kill();
  };
  let timer = setTimeout(giveUp, bound);
  const heard = (text) => {
    output = (output + text).slice(-KEPT);
    clearTimeout(timer);
    if (!silent) timer = setTimeout(giveUp, bound);
  };
  for (const stream of [program.stdout, program.stderr]) stream.setEncoding("utf8").on("data", heard);
  process.on("exit", kill);
  return new Promise((resolve, reject) => {
    program.on("error", reject);
    program.on("close", (code, signal) => {
      clearTimeout(timer);
      process.off("exit", kill);
      resolve({ output, silent, ended: signal ?? code });
    });
  });
}
