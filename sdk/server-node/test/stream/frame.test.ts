import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decodeFrame, encodeFrame, FRAME_LINE_BYTES, type Frame } from "../../src/stream/frame.js";

const frame: Frame = { kind: "D", sender: "0a1b2c3d", stream: 1, seq: 2, taken: 3, payload: Buffer.from("a\nb") };

describe("a frame", () => {
  test("is its line and its payload", () => {
    assert.equal(encodeFrame(frame).toString(), "D 0a1b2c3d 1 2 3\na\nb");
    assert.deepEqual(decodeFrame(encodeFrame(frame)), frame);
    const last = { ...frame, kind: "A" as const, payload: Buffer.alloc(0) };
    assert.deepEqual(decodeFrame(encodeFrame(last)), last);
  });

  test("has a line that is never longer than stated", () => {
    const most = Number.MAX_SAFE_INTEGER;
    const long = { ...frame, sender: "a".repeat(32), stream: most, seq: most, taken: most, payload: Buffer.alloc(0) };
    assert.ok(encodeFrame(long).length <= FRAME_LINE_BYTES);
    assert.deepEqual(decodeFrame(encodeFrame(long)), long);
  });

  test("that is malformed is none", () => {
    const bad = [
      "",
      "D a 1 2 3",
      "X a 1 2 3\n",
      "D a 1 2\n",
      "D  1 2 3\n",
      "D a 1 2 9007199254740993\n",
      "D a -1 2 3\n",
    ];
    for (const text of bad) assert.equal(decodeFrame(Buffer.from(text)), undefined, JSON.stringify(text));
  });
});
