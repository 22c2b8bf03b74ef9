import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Frame } from "../../src/stream/frame.js";
import { Stream } from "../../src/stream/stream.js";
import { randomOf } from "../support/random.js";

const FRAME = 64;
const WINDOW = { to: 1024, from: 1024 };

function ends(): [Stream, Stream] {
  const options = { number: 1, frame: FRAME, window: WINDOW };
  return [new Stream({ ...options, sender: "a" }), new Stream({ ...options, sender: "b" })];
}

/** One end, what it wrote, and what it read. */
class End {
  written = "";
  read = "";
  constructor(readonly stream: Stream) {}

  write(text: string) {
    this.written += text;
    this.stream.write(Buffer.from(text));
  }
}

/** Two ends on a network that loses, repeats, delays and swaps frames, as the seed has it. */
function lossyRun(seed: number): void {
  const random = randomOf(seed);
  const loss = random(40);
  const ended = ends().map((stream) => new End(stream)) as [End, End];
  const network: { at: number; to: End; frame: Frame }[] = [];
  let now = 0;
  const send = (from: End, to: End, quiet: boolean) => {
    for (const frame of from.stream.frames(now)) {
      assert.ok(frame.payload.length <= FRAME);
      const copies = quiet ? 1 : random(100) < loss ? 0 : random(100) < 5 ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) network.push({ at: now + 1 + random(30), to, frame });
    }
  };
  const step = (quiet: boolean) => {
    now += 5;
    network.sort((one, other) => one.at - other.at);
    while (network[0] && network[0].at <= now) {
      const { to, frame } = network.shift()!;
      to.read += to.stream.hear(frame, now)?.toString() ?? "";
    }
    send(ended[0], ended[1], quiet);
    send(ended[1], ended[0], quiet);
  };
  for (let round = 0; round < 300; round++) {
    for (const end of ended) if (random(3) === 0) end.write(`${round}:${"x".repeat(random(200))};`);
    step(false);
  }
  const most = now + 60_000;
  while (ended.some(({ stream }) => stream.waiting > 0) && now < most) step(true);
  const [one, other] = ended;
  assert.equal(one.read, other.written, `seed ${seed}`);
  assert.equal(other.read, one.written, `seed ${seed}`);
  assert.equal(one.stream.waiting + other.stream.waiting, 0, `seed ${seed}`);
}

describe("a stream", () => {
  test("acknowledges by what it sends, and else by a frame of its own", () => {
    const [one, other] = ends();
    one.write(Buffer.from("question"));
    const [question] = one.frames(0);
    assert.equal(other.hear(question!, 0)?.toString(), "question");
    assert.deepEqual(other.frames(50), []);
    other.write(Buffer.from("answer"));
    const [answer] = other.frames(60);
    assert.equal(answer!.taken, 1);
    assert.equal(other.due, 560, "only the answer's own acknowledgement is waited for");
    assert.equal(one.hear(answer!, 60)?.toString(), "answer");
    assert.equal(one.waiting, 0);
    const [acknowledgement] = one.frames(160);
    assert.deepEqual([acknowledgement!.kind, acknowledgement!.seq, acknowledgement!.taken], ["A", 1, 1]);
  });

  test("finds a frame that was lost by the next acknowledgement", () => {
    const [one, other] = ends();
    one.write(Buffer.from("lost"));
    one.frames(0);
    other.write(Buffer.from("heard"));
    one.hear(other.frames(0)[0]!, 0);
    const [acknowledgement] = one.frames(100);
    other.hear(acknowledgement!, 100);
    const [missing] = other.frames(100);
    assert.equal(missing!.kind, "N");
    one.hear(missing!, 101);
    assert.equal(other.hear(one.frames(101)[0]!, 101)?.toString(), "lost");
  });

  test("loses nothing, repeats nothing and keeps its order on a network that does all of this", () => {
    for (let seed = 1; seed <= 300; seed++) lossyRun(seed);
  });
});
