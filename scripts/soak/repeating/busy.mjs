import { spawn, spawnSync } from "node:child_process";

const LOOP = ["sh", "-c", "while :; do :; done"];

/** The first core, if programs can be bound to it. */
const CORE = spawnSync("taskset", ["--version"]).status === 0 ? ["taskset", "-c", "0"] : [];

/**
 * Does `something` while a core is busy. It is given what a program's arguments must begin with to have it run on that
 * core, where it comes second.
 */
export async function beside(something) {
  const [command, ...args] = [...CORE, ...LOOP];
  const busy = spawn(command, args, { stdio: "ignore" });
  const end = () => busy.kill("SIGKILL");
  process.on("exit", end);
  try {
    return await something([...CORE, "nice", "-n", "5"]);
  } finally {
    process.off("exit", end);
    end();
  }
}
