import assert from "node:assert/strict";
import { test } from "node:test";
import { roomTypes } from "../src/types/rooms.js";
import { typeOf } from "../src/types/schema.js";

test("a schema's type says what fits it", () => {
  const object = {
    type: "object",
    required: ["text"],
    properties: { text: { type: "string" }, n: { type: ["integer", "null"] } },
  };
  assert.equal(typeOf(object), '{ "text": string; "n"?: number | null }');
  assert.equal(typeOf({ enum: ["a", 1] }), '"a" | 1');
  assert.equal(typeOf({ type: "array", items: { anyOf: [{ type: "string" }, { const: 1 }] } }), "(string | 1)[]");
  assert.equal(typeOf({ type: "array", prefixItems: [{ type: "string" }], items: false }), "[string?]");
  assert.equal(
    typeOf({ allOf: [{ properties: { a: true } }, { properties: { b: false } }] }),
    '{ "a"?: unknown } & { "b"?: never }',
  );
  assert.equal(typeOf(true), "unknown");
});

test("a schema's own parts are written where they are referred to, and one that contains itself ends", () => {
  const schema = {
    $ref: "#/$defs/tree",
    $defs: { tree: { type: "object", properties: { left: { $ref: "#/$defs/tree" } } } },
  };
  assert.equal(typeOf(schema), '{ "left"?: unknown }');
});

test("rooms have their names, or templates where stars are", () => {
  const room = (match: string, schemas?: object) =>
    ({ kind: "Room", spec: { match, ...(schemas ? { schemas } : {}) } }) as never;
  const text = roomTypes([room("lobby", { message: { type: "string" } }), room("team-*"), { kind: "Secret" }]);
  assert.match(
    text,
    /& \{ "lobby": \{ "message": string \} \}\n {2}& \{ \[room: `team-\$\{string\}`\]: Record<string, any> \};/,
  );
});
