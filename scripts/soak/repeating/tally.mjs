import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const WAYS = { alone: "alone", busy: "on a busy core" };

/** How often each test ran and failed. The folder keeps how often they ever ran, and what failures printed. */
export class Tally {
  #folder;
  #file;
  /** How often each test ever ran, by its name. */
  #ever = {};
  #round = 0;
  /** By name, of this run: `{ group, ran, failed }`, both by way. */
  #tests = new Map();

  constructor(folder) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#file = join(folder, "runs.json");
    if (existsSync(this.#file)) this.#ever = JSON.parse(readFileSync(this.#file, "utf8"));
    this.#round = Math.max(0, ...Object.values(this.#ever));
  }

  /** A number that no run before had. */
  nextRound() {
    return ++this.#round;
  }

  /** How often that test of a unit ever ran which ran least. */
  fewest({ group, tests }) {
    return Math.min(...tests.map((test) => this.#ever[`${group} ${test}`] ?? 0));
  }

  /** Counts what came of a unit's run, and keeps its output where something failed. */
  count({ group }, way, { ran, failed, output }) {
    for (const test of ran) {
      this.#test(group, test).ran[way] += 1;
      this.#ever[`${group} ${test}`] = (this.#ever[`${group} ${test}`] ?? 0) + 1;
    }
    for (const test of failed) {
      this.#test(group, test).failed[way] += 1;
      const file = join(this.#folder, `${`${group} ${test}`.replace(/[^\w.-]+/g, "-").slice(0, 200)}.${way}.txt`);
      writeFileSync(file, output);
      console.log(`FAILED ${WAYS[way]}: ${group} ${test}\n  ${file}`);
    }
    writeFileSync(this.#file, JSON.stringify(this.#ever));
  }

  #test(group, test) {
    const name = `${group} ${test}`;
    if (!this.#tests.has(name)) this.#tests.set(name, { group, ran: { alone: 0, busy: 0 }, failed: { alone: 0, busy: 0 } });
    return this.#tests.get(name);
  }

  /** Prints how often the tests of each group ran at least, and each test that failed; how many did. */
  report() {
    const all = [...this.#tests];
    console.log(`\ntests  runs ${WAYS.alone}  ${WAYS.busy}  of`);
    for (const group of new Set(all.map(([, test]) => test.group))) {
      const tests = all.map(([, test]) => test).filter((test) => test.group === group);
      const least = (way, width) => String(Math.min(...tests.map((test) => test.ran[way]))).padStart(width);
      console.log(`${String(tests.length).padStart(5)}  ${least("alone", 10)}  ${least("busy", 14)}  ${group}`);
    }
    const bad = all.filter(([, { failed }]) => failed.alone + failed.busy);
    for (const [name, { ran, failed }] of bad)
      console.log(`${name} failed ${failed.alone} of ${ran.alone} times alone, ${failed.busy} of ${ran.busy} on a busy core`);
    console.log(bad.length ? `${bad.length} failed even once; what they printed is in ${this.#folder}` : "No test failed.");
    return bad.length;
  }
}
