import { setTimeout as pause } from "node:timers/promises";
import { Driver } from "./driver.mjs";
import { Scripted } from "./scripted.mjs";
import { STEPS } from "./steps.mjs";

/** So long a step may take unless it says otherwise: a busy machine is no failure. */
const WITHIN = 10_000;

/** Plays a scenario with a driver; fails with a sentence that names the step. */
export async function play(scenario, command) {
  const gateway = await Scripted.start();
  const driver = new Driver(command);
  const stage = { gateway, driver, pause, last: undefined };
  try {
    driver.does({ do: "new", url: gateway.url, ...scenario.client });
    for (const [at, step] of scenario.play.entries()) {
      const [name] = Object.keys(step);
      const run = STEPS[name];
      if (!run) throw new Error(`step ${at + 1} is ${name}, which the kit does not know`);
      await run(stage, step[name], { within: WITHIN, ...step }).catch((error) => {
        throw new Error(`step ${at + 1}, ${JSON.stringify(step)}: ${error.message}${driver.errors && `\n  ${driver.errors}`}`);
      });
    }
  } finally {
    driver.end();
    gateway.end();
  }
}
