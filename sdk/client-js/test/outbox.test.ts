import assert from "node:assert/strict";
import { test } from "node:test";
import { type Item, OUTBOX_LIMITS, Outbox, type Scope } from "../src/core/outbox.js";

const SCOPE: Scope = { publisher: "ann", epoch: "e1" };
const open = () => ({ scope: SCOPE });
const shut = () => undefined;

let made = 0;
const item = (room = "r", more: Partial<Item> = {}): Item => {
  made += 1;
  return { id: `i${made}`, room, event: "e", data: 1, echo: true, bytes: 10, at: 0, ...more };
};

const filled = (...items: Item[]) => {
  const outbox = new Outbox(OUTBOX_LIMITS);
  for (const each of items) outbox.add(each);
  return outbox;
};

test("of each room one is on its way, and the next follows its answer", () => {
  const [a1, a2, b1] = [item("a"), item("a"), item("b")];
  const outbox = filled(a1, a2, b1);
  assert.deepEqual(outbox.turn(0, open).send, [a1, b1]);
  assert.deepEqual(outbox.turn(0, open).send, []);
  assert.equal(outbox.settle(a1.id, "a"), a1);
  assert.deepEqual(outbox.turn(0, open).send, [a2]);
});

test("what was on its way is sent again after the connection is back, with the same id", () => {
  const [first, second] = [item(), item()];
  const outbox = filled(first, second);
  outbox.turn(0, open);
  assert.deepEqual(outbox.disconnected(), []);
  assert.deepEqual(outbox.turn(1, shut).send, []);
  assert.deepEqual(outbox.turn(2, open).send, [first]);
});

test("what is unanswered for longer than repetitions are found out fails as in doubt", () => {
  const outbox = filled(item());
  outbox.turn(5, open);
  outbox.disconnected();
  assert.deepEqual(outbox.turn(110_004, shut).failed, []);
  const { failed, at } = outbox.turn(110_005, shut);
  assert.equal(failed[0]?.error.code, "in_doubt");
  assert.deepEqual([outbox.size.items, at], [0, undefined]);
});

test("what was never sent waits for its age limit", () => {
  const outbox = filled(item());
  assert.equal(outbox.turn(110_005, shut).at, 600_000);
  assert.deepEqual(outbox.turn(599_999, shut).failed, []);
  assert.equal(outbox.turn(600_000, shut).failed[0]?.error.code, "expired");
});

test("where nobody finds a repetition out, a lost connection leaves it in doubt", () => {
  const outbox = filled(item());
  outbox.turn(0, () => ({}));
  assert.equal(outbox.disconnected()[0]?.error.code, "in_doubt");
});

test("another history or another publisher does not find a repetition out", () => {
  for (const other of [{ publisher: "bob", epoch: "e1" }, { publisher: "ann", epoch: "e2" }, undefined]) {
    const second = item();
    const outbox = filled(item(), second);
    outbox.turn(0, open);
    outbox.disconnected();
    const turn = outbox.turn(1, () => (other ? { scope: other } : {}));
    assert.equal(turn.failed[0]?.error.code, "in_doubt");
    assert.deepEqual(turn.send, [second]);
  }
});

test("a refusal that passes keeps the item, and those behind it in their order", () => {
  const [first, second] = [item(), item()];
  const outbox = filled(first, second);
  outbox.turn(0, open);
  assert.equal(outbox.refused(first, "room_rate_limited", 0, 1), true);
  const waits = outbox.turn(0, open);
  assert.deepEqual([waits.send, waits.at], [[], 1_200]);
  assert.deepEqual(outbox.turn(1_200, open).send, [first]);
});

test("a refusal for being too fast leaves no doubt, and one of a backbone does", () => {
  for (const [code, sent] of [
    ["rate_limited", undefined],
    ["backbone_unavailable", 7],
  ] as const) {
    const one = item();
    const outbox = filled(one);
    outbox.turn(7, open);
    outbox.refused(one, code, 8, 0);
    assert.equal(one.sent, sent);
  }
});

test("it is bounded in items and in bytes", () => {
  const outbox = new Outbox({ ...OUTBOX_LIMITS, items: 2, bytes: 100 });
  assert.equal(outbox.add(item()), undefined);
  assert.equal(outbox.add(item("r", { bytes: 91 }))?.code, "outbox_full");
  assert.equal(outbox.add(item()), undefined);
  assert.equal(outbox.add(item())?.code, "outbox_full");
  assert.deepEqual(outbox.size, { items: 2, bytes: 20 });
});
