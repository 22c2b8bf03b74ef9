import { setTimeout as pause } from "node:timers/promises";
import { Driver } from "./driver.mjs";
import { setReal } from "./real.mjs";
import { Scripted } from "./scripted.mjs";
import { STEPS } from "./steps.mjs";

/** So long a step may take unless it says otherwise: a busy machine is no failure. */
const WITHIN = 10_000;

/** Plays a scenario with a driver; fails with a sentence that names the step. */
export async function play(scenario, command) {
  const stage = { pause, last: undefined, drivers: new Map() };
  try {
    await (scenario.gateway === "real" ? setReal : setScripted)(stage, scenario, command);
    for (const [at, step] of scenario.play.entries()) {
      const [name] = Object.keys(step);
      const run = STEPS[name];
      if (!run) throw new Error(`step ${at + 1} is ${name}, which the kit does not know`);
      await run(stage, step[name], { within: WITHIN, ...step }).catch((error) => {
        const errors = [...stage.drivers.values()].map((driver) => driver.errors).join("");
        throw new Error(`step ${at + 1}, ${JSON.stringify(step)}: ${error.message}${errors && `\n  ${errors}`}`);
      });
    }
  } finally {
    for (const driver of stage.drivers.values()) driver.end();
    stage.network?.end();
    await (stage.gateway?.end ?? stage.gateway?.stop)?.call(stage.gateway);
  }
}

/** A gateway that does what the scenario says, and one client, which has no name. */
async function setScripted(stage, scenario, command) {
  stage.gateway = await Scripted.start();
  const driver = new Driver(command);
  stage.drivers.set(undefined, driver);
  driver.does({ do: "new", url: stage.gateway.url, ...scenario.client });
}
