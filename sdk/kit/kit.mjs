#!/usr/bin/env node
// kit.mjs DRIVER [ARGUMENT...] [-- NAME...]: plays all scenarios, or those that are named, with the library that the
// driver speaks for, and says of each whether the library did what it must. README.md has the rest.
import { readFileSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { parse } from "yaml";
import { play } from "./src/play.mjs";

const arguments_ = process.argv.slice(2);
const split = arguments_.indexOf("--");
const command = split < 0 ? arguments_ : arguments_.slice(0, split);
const chosen = split < 0 ? [] : arguments_.slice(split + 1);
if (!command.length) {
  console.error("Name the driver of a library, such as: kit.mjs node ../client-js/test/kit/driver.mjs");
  process.exit(2);
}

const folder = new URL("scenarios/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".yaml")).map((name) => basename(name, ".yaml"));
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length) {
  console.error(`There is no scenario ${unknown.join(", ")}. Name some of: ${names.sort().join(" ")}`);
  process.exit(2);
}
const wanted = names.filter((name) => !chosen.length || chosen.includes(name)).sort();

// Many at a time: most of a scenario is waiting.
const waiting = wanted.map((name) => ({ name, ...parse(readFileSync(new URL(`${name}.yaml`, folder), "utf8")) }));
let failed = 0;
const work = async () => {
  for (let scenario = waiting.shift(); scenario; scenario = waiting.shift()) {
    try {
      await play(scenario, command);
      console.log(`✔ ${scenario.name}: ${scenario.behaviour}`);
    } catch (error) {
      failed += 1;
      console.log(`✖ ${scenario.name}: ${scenario.behaviour}\n  ${error.message}`);
    }
  }
};
await Promise.all(Array.from({ length: 12 }, work));
console.log(`${wanted.length - failed} of ${wanted.length} scenarios hold`);
process.exitCode = failed ? 1 : 0;
