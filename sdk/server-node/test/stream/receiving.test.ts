import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Receiving } from "../../src/stream/receiving.js";

describe("receiving", () => {
  test("takes frames in order, once", () => {
    const receiving = new Receiving(1000);
    assert.deepEqual(
      [1, 3, 2, 2, 3].map((seq) => receiving.receive(seq, 1, 0)),
      [true, false, true, false, true],
    );
    assert.equal(receiving.taken, 3);
  });

  test("acknowledges after 100 ms, or after a quarter of the window", () => {
    const receiving = new Receiving(1000);
    receiving.receive(1, 100, 5);
    receiving.receive(2, 100, 50);
    assert.equal(receiving.due, 105);
    assert.equal(receiving.answer(104), undefined);
    assert.equal(receiving.answer(105), "A");
    receiving.said();
    assert.equal(receiving.due, Number.POSITIVE_INFINITY);
    receiving.receive(3, 250, 200);
    assert.equal(receiving.answer(200), "A");
  });

  test("acknowledges at once what comes again", () => {
    const receiving = new Receiving(1000);
    receiving.receive(1, 1, 0);
    receiving.said();
    receiving.receive(1, 1, 10);
    assert.equal(receiving.answer(10), "A");
  });

  test("says what is missing, once in 100 ms", () => {
    const receiving = new Receiving(1000);
    receiving.receive(3, 1, 0);
    assert.equal(receiving.answer(0), "N");
    receiving.said();
    receiving.receive(4, 1, 10);
    assert.equal(receiving.answer(10), undefined);
    assert.equal(receiving.due, 100);
    assert.equal(receiving.answer(100), "N");
  });

  test("says that something is missing when it hears of a greater number", () => {
    const receiving = new Receiving(1000);
    receiving.receive(1, 1, 0);
    receiving.said();
    receiving.heardOf(1, 10);
    assert.equal(receiving.answer(10), undefined);
    receiving.heardOf(2, 20);
    assert.equal(receiving.answer(20), "N");
  });
});
