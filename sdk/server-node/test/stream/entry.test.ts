import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Entry, encodeEntry, field, MalformedEntry, numberField } from "../../src/stream/entry.js";
import { EntryReader } from "../../src/stream/entry-reader.js";
import { randomOf } from "../support/random.js";

const plain = (entry: Entry) => ({ ...entry, bodies: entry.bodies.map(String) });

describe("an entry", () => {
  test("is a line of kind, lengths and fields, and its bodies", () => {
    const bytes = encodeEntry("event", [7, undefined], ['["é"]'], [Buffer.from("ab")]);
    assert.equal(bytes.toString(), 'event 6,2 7 -\n["é"]ab');
    assert.equal(encodeEntry("fence", [7]).toString(), "fence - 7\n");
  });

  test("has fields that are texts, numbers, or not there", () => {
    const entry = { kind: "x", fields: ["-", "12", "1x", "9007199254740993", "-1"], bodies: [] };
    assert.equal(field(entry, 0), undefined);
    assert.equal(field(entry, 9), undefined);
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((index) => numberField(entry, index)),
      [undefined, 12, undefined, undefined, undefined],
    );
  });

  test("is read the same however its bytes are cut", () => {
    const written = [
      encodeEntry("event", [1, 2], ['["a"]'], [Buffer.from("bin"), Buffer.alloc(0)]),
      encodeEntry("fence", [3]),
      encodeEntry("data", [4, 5], [""]),
      encodeEntry("join", [6], ['["room with ünïcode"]']),
    ];
    const bytes = Buffer.concat(written);
    const expected = new EntryReader().read(bytes).map(plain);
    assert.deepEqual(
      expected.map(({ kind, bodies }) => [kind, ...bodies]),
      [["event", '["a"]', "bin", ""], ["fence"], ["data", ""], ["join", '["room with ünïcode"]']],
    );
    for (let seed = 1; seed <= 200; seed++) {
      const random = randomOf(seed);
      const reader = new EntryReader();
      const read: Entry[] = [];
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + random(9);
        read.push(...reader.read(bytes.subarray(at, end)));
        at = end;
      }
      assert.deepEqual(read.map(plain), expected, `seed ${seed}`);
    }
  });

  test("that is malformed ends the reading", () => {
    const endless = Buffer.alloc(1025, "a");
    for (const text of ["\n", "event\n", "event x 1\n", "event 1,, 2\n", "event -1\n", "event 9999999999\n", endless]) {
      assert.throws(() => new EntryReader().read(Buffer.from(text)), MalformedEntry, String(text));
    }
    const reader = new EntryReader();
    reader.read(endless.subarray(0, 1000));
    assert.throws(() => reader.read(endless), MalformedEntry);
  });
});
