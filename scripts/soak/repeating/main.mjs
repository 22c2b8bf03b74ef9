// Runs every test many times, alone and on a busy core. Whatever fails even once is named at the end, with how often it
// failed and where its output is. Every test has its turn before any has a second one.
import { parseArgs } from "node:util";
import { beside } from "./busy.mjs";
import { nodeUnits } from "./node.mjs";
import { rustUnits } from "./rust.mjs";
import { Tally } from "./tally.mjs";

/** After so many milliseconds, the tests of one process are shared out among two, until each has one of its own. */
const QUICK = 2_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "50" },
    minutes: { type: "string", default: "0" },
    bound: { type: "string", default: "120" },
    keep: { type: "string", default: "target/repeat" },
    binary: { type: "string" },
  },
});
const [runs, minutes, bound] = ["runs", "minutes", "bound"].map((name) => {
  const number = Number(values[name]);
  if (number >= 0) return number;
  console.error(`--${name} ${values[name]} is no number. Give one, such as --${name} 10.`);
  process.exit(2);
});
const until = minutes ? Date.now() + minutes * 60_000 : Infinity;

const chosen = new RegExp(positionals[0] ?? "");
let units = [...rustUnits(values.binary, chosen), ...(values.binary ? [] : nodeUnits(chosen))];
if (!units.length) {
  console.error("No test has such a name. A name is CRATE/TARGET TEST or the path of a Node file; the pattern is a regular expression.");
  process.exit(2);
}

const tally = new Tally(values.keep);
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => {
    tally.report();
    process.exit(130);
  });
while (units.length && Date.now() < until) {
  units.sort((one, other) => tally.fewest(one) - tally.fewest(other));
  const unit = units.shift();
  const took = Math.max(await inOneWay(unit, "alone"), await inOneWay(unit, "busy"));
  unit.runs += 1;
  const parts = took > QUICK && unit.split ? unit.split() : [unit];
  units.push(...parts.filter((part) => part.runs < runs));
}
process.exit(tally.report() ? 1 : 0);

/** Runs a unit, counts what came of it, and returns how many milliseconds it took. */
async function inOneWay(unit, way) {
  const began = Date.now();
  const run = (prefix) => unit.run(prefix, { bound: bound * 1_000, round: tally.nextRound() });
  tally.count(unit, way, way === "alone" ? await run([]) : await beside(run));
  return Date.now() - began;
}
