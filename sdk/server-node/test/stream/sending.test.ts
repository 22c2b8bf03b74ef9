import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Sending } from "../../src/stream/sending.js";

const KIB = 1024;
const seqs = (sending: Sending, now: number) => sending.take(now).map(({ seq }) => seq);

function sendingOf(frame: number, window: number, bytes = 0): Sending {
  const sending = new Sending({ frame, window });
  if (bytes > 0) sending.write(Buffer.alloc(bytes));
  return sending;
}

describe("sending", () => {
  test("puts what was written together into frames, and cuts what is longer", () => {
    const sending = sendingOf(4, 100);
    sending.write(Buffer.from("ab"));
    sending.write(Buffer.from("cdefg"));
    sending.write(Buffer.from("hi"));
    assert.deepEqual(
      sending.take(0).map(({ seq, payload }) => `${seq} ${payload}`),
      ["1 abcd", "2 efgh", "3 i"],
    );
    assert.deepEqual(sending.take(1), []);
    assert.equal(sending.waiting, 9);
  });

  test("keeps to the window, and goes on as frames are acknowledged", () => {
    const sending = sendingOf(4, 10, 20);
    assert.deepEqual(seqs(sending, 0), [1, 2, 3]);
    sending.acknowledged(1, 1);
    assert.deepEqual(seqs(sending, 1), [4]);
    assert.equal(sending.waiting, 16);
    sending.acknowledged(99, 1);
    assert.equal(sending.waiting, 16, "what was never sent cannot have been taken");
  });

  test("sends again after 500 ms, then after twice that, up to 2 s", () => {
    const sending = sendingOf(4, 100, 4);
    assert.deepEqual(seqs(sending, 0), [1]);
    const times = [];
    for (let round = 0; round < 5; round++) {
      times.push(sending.due);
      assert.deepEqual(seqs(sending, sending.due - 1), []);
      assert.deepEqual(seqs(sending, sending.due), [1]);
    }
    assert.deepEqual(times, [500, 1500, 3500, 5500, 7500]);
    sending.acknowledged(1, 8000);
    assert.equal(sending.due, Number.POSITIVE_INFINITY);
    sending.write(Buffer.alloc(1));
    assert.deepEqual(seqs(sending, 9000), [2]);
    assert.equal(sending.due, 9500);
  });

  test("sends at most 64 KiB again before something is heard", () => {
    const sending = sendingOf(16 * KIB, 1024 * KIB, 200 * KIB);
    assert.equal(sending.take(0).length, 13);
    assert.deepEqual(seqs(sending, 500), [1, 2, 3, 4]);
    assert.deepEqual(seqs(sending, 600), []);
    sending.acknowledged(2, 700);
    assert.deepEqual(seqs(sending, 700), [5, 6, 7, 8]);
    sending.acknowledged(13, 800);
    assert.deepEqual(seqs(sending, 800), []);
    assert.equal(sending.waiting, 0);
  });

  test("sends again at once what is missing, before what is new", () => {
    const sending = sendingOf(4, 100, 12);
    assert.deepEqual(seqs(sending, 0), [1, 2, 3]);
    sending.write(Buffer.alloc(4));
    sending.missing(1, 10);
    assert.deepEqual(seqs(sending, 10), [2, 3, 4]);
  });
});
