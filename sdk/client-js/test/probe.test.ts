import assert from "node:assert/strict";
import { test } from "node:test";
import { Probe, TICK } from "../src/core/probe.js";

/** Looks every tick from `from` on, and says what was found when, other than nothing. */
function look(probe: Probe, from: number, ticks: number): [number, string][] {
  const found: [number, string][] = [];
  for (let tick = 1; tick <= ticks; tick += 1) {
    const now = from + tick * TICK;
    const what = probe.look(now);
    if (what !== "fine") found.push([now, what]);
    if (what === "dead") break;
  }
  return found;
}

test("a connection that says nothing is asked after its silence, and is dead if it does not answer", () => {
  assert.deepEqual(look(new Probe(0, 30_000), 0, 60), [
    [30_000, "ping"],
    [33_000, "dead"],
  ]);
});

test("a request that gets no answer finds a dead connection within five seconds", () => {
  const probe = new Probe(0, 30_000);
  probe.waits(1, 500);
  assert.deepEqual(look(probe, 0, 60), [
    [2_000, "ping"],
    [5_000, "dead"],
  ]);
});

test("a request that takes its time over a good connection is asked about ever less often", () => {
  const probe = new Probe(0, 1_000_000);
  probe.waits(1, 0);
  const pings = [];
  for (let now = TICK; now <= 64_000; now += TICK) {
    if (probe.look(now) !== "ping") continue;
    pings.push(now);
    probe.heard(now);
  }
  assert.deepEqual(pings, [1_000, 3_000, 7_000, 15_000, 31_000, 63_000]);
});

test("a wake from sleep is noticed at the first tick, and finds a dead connection within five seconds", () => {
  const probe = new Probe(0, 30_000);
  probe.look(TICK);
  assert.deepEqual(look(probe, 3_600_000, 10), [
    [3_601_000, "ping"],
    [3_604_000, "dead"],
  ]);
});

test("whatever comes ends the doubt", () => {
  const probe = new Probe(0, 30_000);
  assert.equal(probe.doubt(10), true);
  assert.equal(probe.doubt(20), false);
  probe.heard(30);
  assert.deepEqual(look(probe, 0, 20), []);
});
