/** A JSON Schema, as far as types can say it. */
export type Schema = boolean | { readonly [keyword: string]: unknown };

/** So deep are types written; beyond that, and where a schema refers to itself, stands `unknown`. */
const DEEPEST = 20;

/** The TypeScript type of what fits a schema. What types cannot say, such as a pattern, is left to the gateway. */
export function typeOf(schema: Schema): string {
  return write(schema, schema, []);
}

function write(schema: unknown, root: Schema, refs: readonly string[]): string {
  if (typeof schema !== "object" || schema === null) return schema === false ? "never" : "unknown";
  if (refs.length > DEEPEST) return "unknown";
  const it = schema as Record<string, unknown>;
  const inner = (part: unknown) => write(part, root, refs);
  const parts: string[] = [];
  if (typeof it["$ref"] === "string") parts.push(refer(it["$ref"], root, refs));
  if ("const" in it) parts.push(JSON.stringify(it["const"]));
  else if (Array.isArray(it["enum"])) parts.push(union(it["enum"].map((value) => JSON.stringify(value))));
  else if (it["type"] !== undefined || "properties" in it || "items" in it)
    parts.push(union(kinds(it).map((kind) => ofKind(kind, it, inner))));
  for (const keyword of ["anyOf", "oneOf"]) {
    if (Array.isArray(it[keyword])) parts.push(union((it[keyword] as unknown[]).map(inner)));
  }
  if (Array.isArray(it["allOf"])) parts.push(...it["allOf"].map(inner));
  const said = [...new Set(parts)].filter((part) => part !== "unknown");
  return said.length ? said.map((part) => (said.length > 1 ? bracketed(part) : part)).join(" & ") : "unknown";
}

function kinds(it: Record<string, unknown>): string[] {
  const { type } = it;
  if (Array.isArray(type)) return type.map(String);
  if (typeof type === "string") return [type];
  return ["properties" in it ? "object" : "array"];
}

function ofKind(kind: string, it: Record<string, unknown>, inner: (part: unknown) => string): string {
  switch (kind) {
    case "integer":
      return "number";
    case "array":
      return ofArray(it, inner);
    case "object":
      return ofObject(it, inner);
    default:
      return ["string", "number", "boolean", "null"].includes(kind) ? kind : "unknown";
  }
}

function ofArray(it: Record<string, unknown>, inner: (part: unknown) => string): string {
  const rest = it["items"] === undefined ? "unknown" : inner(it["items"]);
  if (!Array.isArray(it["prefixItems"])) return `${bracketed(rest)}[]`;
  const first = it["prefixItems"].map((part) => `${bracketed(inner(part))}?`);
  return `[${first.join(", ")}${it["items"] === false ? "" : `, ...${bracketed(rest)}[]`}]`;
}

function ofObject(it: Record<string, unknown>, inner: (part: unknown) => string): string {
  const required = new Set(Array.isArray(it["required"]) ? it["required"] : []);
  const properties = Object.entries((it["properties"] ?? {}) as Record<string, unknown>);
  const lines = properties.map(
    ([name, part]) => `${JSON.stringify(name)}${required.has(name) ? "" : "?"}: ${inner(part)}`,
  );
  const others = it["additionalProperties"];
  if (lines.length === 0)
    return others === false
      ? "Record<string, never>"
      : `Record<string, ${others === undefined ? "unknown" : inner(others)}>`;
  return `{ ${lines.join("; ")} }`;
}

function refer(ref: string, root: Schema, refs: readonly string[]): string {
  if (!ref.startsWith("#") || refs.includes(ref)) return "unknown";
  let found: unknown = root;
  for (const step of ref.slice(1).split("/").filter(Boolean)) {
    const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    found = (found as Record<string, unknown> | undefined)?.[name];
  }
  return write(found, root, [...refs, ref]);
}

const union = (types: readonly string[]) => [...new Set(types)].join(" | ");

const bracketed = (type: string) => (/[|&]/.test(type) ? `(${type})` : type);
