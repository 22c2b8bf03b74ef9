import assert from "node:assert/strict";
import { test } from "node:test";
import { judge } from "./support/verdict.mjs";

/** A member of the room `r` that got the messages `n` (or `[n, offset]`) of the publisher `p`. */
function member(numbers, events = [], away = false) {
  const messages = numbers.map((number) => {
    const [n, offset] = Array.isArray(number) ? number : [number, 100 + number];
    return ["r", "p", n, offset, 0];
  });
  return { name: "m", kind: "stock", rooms: ["r"], messages, events, away };
}

const publisher = (numbers, about = {}) => ({
  name: "p", acked: numbers.map((n) => ["r", n, 100 + n, 0]), refused: {}, open: [], longest: 0, ...about,
});

/** The verdict on one member, when 1 to 3 were acknowledged. */
const on = (one) => judge({ members: [one], publishers: [publisher([1, 2, 3])] });

/** The counts of faults that are not zero. */
const faultsOf = ({ lost, repeated, disordered, misplaced, leftOut }) =>
  Object.fromEntries(Object.entries({ lost, repeated, disordered, misplaced, leftOut }).filter(([, count]) => count > 0));

test("a member that got all that was acknowledged, once and in order, has no faults", () => {
  const verdict = on(member([1, 2, 3]));
  assert.deepEqual(faultsOf(verdict), {});
  assert.deepEqual(verdict.faults, []);
  assert.equal(verdict.delivered, 3);
  assert.equal(verdict.acked, 3);
});

test("an acknowledged message that a member never got is lost", () => {
  const verdict = on(member([1, 3]));
  assert.deepEqual(faultsOf(verdict), { lost: 1 });
  assert.deepEqual(verdict.faults, ["lost: m never got p:2 of r at 102, but 101 at 0 and then 103 at 0; []"]);
});

test("what came last can be lost too", () => {
  assert.deepEqual(faultsOf(on(member([1, 2]))), { lost: 1 });
  assert.deepEqual(faultsOf(on(member([]))), { lost: 3 });
});

test("what a member was told to be gone is a gap and not a loss", () => {
  const verdict = on(member([1, 3], [{ at: 1, type: "gap", room: "r" }]));
  assert.deepEqual(faultsOf(verdict), {});
  assert.equal(verdict.gaps, 1);
});

test("a gap in one room excuses no loss in another", () => {
  assert.deepEqual(faultsOf(on(member([1, 3], [{ at: 1, type: "gap", room: "other" }]))), { lost: 1 });
});

test("a message that was never acknowledged may be delivered or not", () => {
  assert.deepEqual(faultsOf(on(member([1, 2, 3, 4]))), {});
});

test("the same message twice is repeated", () => {
  assert.deepEqual(faultsOf(on(member([1, 2, 2, 3]))), { repeated: 1 });
  assert.deepEqual(faultsOf(on(member([1, 2, 3, 1]))), { repeated: 1 });
});

test("a message that was stored twice is repeated, although its positions differ", () => {
  assert.deepEqual(faultsOf(on(member([1, 2, 3, [2, 104]]))), { repeated: 1, misplaced: 1 });
});

test("two messages at one position are a repetition", () => {
  assert.deepEqual(faultsOf(on(member([1, 2, 3, [4, 103]]))), { repeated: 1 });
});

test("a message behind a later one is out of order", () => {
  assert.deepEqual(faultsOf(on(member([1, 3, 2]))), { disordered: 1 });
});

test("a publisher's messages are out of order although their positions grow", () => {
  const verdict = judge({
    members: [member([[2, 101], [1, 102]])],
    publishers: [publisher([], { acked: [["r", 2, 101, 0], ["r", 1, 102, 0]] })],
  });
  assert.deepEqual(faultsOf(verdict), { disordered: 1 });
});

test("an acknowledgement with another offset than the message has is misplaced", () => {
  assert.deepEqual(faultsOf(on(member([1, [2, 202], [3, 203]]))), { misplaced: 2 });
});

test("the time to be back is from the first loss until the client is in its rooms", () => {
  const events = [
    { at: 1000, type: "lost" }, { at: 1500, type: "refused", code: "draining" }, { at: 2000, type: "lost" },
    { at: 2800, type: "back", recovered: false }, { at: 5000, type: "lost" }, { at: 5400, type: "back", recovered: true },
  ];
  const verdict = on(member([1, 2, 3], events));
  assert.deepEqual(verdict.back, { count: 2, p50: 400, p99: 1800, max: 1800 });
  assert.deepEqual(verdict.reasons, { "stock lost: undefined": 3, "stock refused: draining": 1 });
  assert.equal(verdict.told, 1);
  assert.equal(verdict.disconnects, 3);
  assert.equal(verdict.moves, 3);
});

test("p99 of a hundred is the second largest", () => {
  const members = Array.from({ length: 100 }, (_, n) =>
    member([1, 2, 3], [{ at: 0, type: "lost" }, { at: 1 + n, type: "back", recovered: true }]));
  const { back } = judge({ members, publishers: [publisher([1, 2, 3])] });
  assert.deepEqual(back, { count: 100, p50: 50, p99: 99, max: 100 });
});

test("a client that is not back in the end is left out", () => {
  const verdict = on(member([1, 2, 3], [{ at: 0, type: "lost", reason: "transport close" }], true));
  assert.deepEqual(faultsOf(verdict), { leftOut: 1 });
  assert.equal(verdict.back.count, 0);
});

test("refusals are added up by code, and moves are those of the client that moved most", () => {
  const lost = { at: 0, type: "lost" };
  const back = { at: 1, type: "back", recovered: true };
  const verdict = judge({
    members: [member([1], [lost, back]), member([1], [lost, back, lost, back])],
    publishers: [
      publisher([1], { refused: { backbone_unavailable: 2 }, longest: 700 }),
      publisher([], { name: "q", refused: { backbone_unavailable: 1, overloaded: 4 }, open: [["r", 9]], longest: 30 }),
    ],
  });
  assert.deepEqual(verdict.refused, { backbone_unavailable: 3, overloaded: 4 });
  assert.equal(verdict.longest, 700);
  assert.equal(verdict.open, 1);
  assert.equal(verdict.disconnects, 3);
  assert.equal(verdict.moves, 2);
});

test("of many faults the first are described, and all are counted", () => {
  const verdict = judge({ members: [member([])], publishers: [publisher(Array.from({ length: 50 }, (_, n) => n + 1))] });
  assert.equal(verdict.lost, 50);
  assert.equal(verdict.faults.length, 5);
});
