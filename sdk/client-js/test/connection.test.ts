import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../src/core/connection.js";

/** One that is connected since 0. */
function connected(): Connection {
  const connection = new Connection();
  connection.start();
  connection.token();
  connection.greeted(0);
  return connection;
}

test("it asks for a token, then opens, then is connected", () => {
  const connection = new Connection();
  assert.deepEqual(connection.start(), { do: "ask-token", reason: "connect" });
  assert.deepEqual(connection.token(), { do: "open" });
  connection.greeted(0);
  assert.equal(connection.phase, "connected");
  assert.equal(connection.start(), undefined);
});

test("a lost connection is come back from after a pause with full jitter, which doubles", () => {
  const connection = connected();
  assert.deepEqual(connection.closed(1006, "", 1, 0), { do: "wait", ms: 0 });
  const pauses = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    connection.waited();
    connection.token();
    const step = connection.closed(1006, "", 1, 1);
    pauses.push(step?.do === "wait" && step.ms);
  }
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000]);
});

test("the pauses begin anew only after a connection that lasted", () => {
  const pauseAfter = (lasted: number) => {
    const connection = connected();
    connection.closed(1006, "", 1, 1);
    connection.waited();
    connection.token();
    connection.greeted(1000);
    const step = connection.closed(1006, "", 1000 + lasted, 1);
    return step?.do === "wait" ? step.ms : undefined;
  };
  assert.equal(pauseAfter(9_999), 1000);
  assert.equal(pauseAfter(10_000), 500);
});

test("after a drain it comes back within 200 ms, and with growing pauses if it is closed so again and again", () => {
  const connection = connected();
  assert.deepEqual(connection.closed(4000, "drain", 1, 1), { do: "wait", ms: 200 });
  connection.waited();
  connection.token();
  assert.deepEqual(connection.closed(4000, "drain", 2, 1), { do: "wait", ms: 1000 });
});

test("those who lose a gateway in the middle of its drain come back over what is left of it", () => {
  const connection = connected();
  connection.drains(4_000);
  assert.deepEqual(connection.closed(1006, "", 1_000, 0.5), { do: "wait", ms: 1_500 });
});

test("it stays away after what would end in the same way", () => {
  for (const [code, name] of [
    [4500, "replaced"],
    [4501, "revoked"],
    [4502, "disconnected"],
    [4504, "abuse"],
  ] as const) {
    const connection = connected();
    assert.deepEqual(connection.closed(code, name, 1, 0), { do: "close" });
    assert.deepEqual([connection.phase, connection.reason], ["off", name]);
  }
});

test("a token that has expired is replaced at once", () => {
  const connection = connected();
  assert.deepEqual(connection.closed(4003, "token_expired", 1, 0), { do: "ask-token", reason: "refused" });
});

test("a token that is refused is replaced once, and then it is over", () => {
  const connection = new Connection();
  connection.start();
  for (const then of [{ do: "ask-token", reason: "refused" }, { do: "close" }]) {
    connection.token();
    connection.refused("token_signature");
    assert.deepEqual(connection.closed(4503, "unauthorized", 1, 0), then);
  }
  assert.equal(connection.reason, "unauthorized");
});

test("an answer that says when to try again is kept to", () => {
  const connection = connected();
  const step = connection.closed(1006, "http_503", 1, 0.5, 5_000);
  assert.deepEqual(step, { do: "wait", ms: 5_250 });
});

test("a gateway that cannot let the client in is left alone for a second", () => {
  const connection = connected();
  assert.deepEqual(connection.closed(4004, "overloaded", 1, 0), { do: "wait", ms: 1000 });
});

test("a network that is back ends the pause", () => {
  const connection = connected();
  connection.closed(1006, "", 1, 1);
  assert.deepEqual(connection.hurry(0.5), { do: "wait", ms: 100 });
  assert.equal(connected().hurry(0.5), undefined);
});
