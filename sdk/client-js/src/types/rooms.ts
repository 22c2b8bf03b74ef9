import { type Schema, typeOf } from "./schema.js";

/** A document of the kind `Room`, as far as types need it. */
export interface RoomDocument {
  readonly kind?: string;
  readonly spec?: { readonly match?: string; readonly schemas?: Readonly<Record<string, Schema>> };
}

const HEAD = `// Written from the Rooms by: npx @sluice/client types. Write it anew when they change.
// const client = new Client<Rooms>(url);
`;

/** The module with the types of all rooms, their events and their data. */
export function roomTypes(documents: readonly RoomDocument[]): string {
  const rooms = documents.filter(({ kind, spec }) => kind === "Room" && typeof spec?.match === "string");
  const parts = rooms.map(({ spec }) => `{ ${nameOf(spec?.match ?? "")}: ${eventsOf(spec?.schemas)} }`);
  return `${HEAD}export type Rooms = ${parts.length ? `\n  & ${parts.join("\n  & ")}` : "Record<string, Record<string, any>>"};\n`;
}

/** An exact name, or a template where \`match\` has stars. */
function nameOf(match: string): string {
  if (!match.includes("*")) return JSON.stringify(match);
  const template = match.replace(/[\\`$]/g, "\\$&").replaceAll("*", "$" + "{string}");
  return `[room: \`${template}\`]`;
}

function eventsOf(schemas: Readonly<Record<string, Schema>> | undefined): string {
  const events = Object.entries(schemas ?? {});
  if (!events.length) return "Record<string, any>";
  return `{ ${events.map(([event, schema]) => `${JSON.stringify(event)}: ${typeOf(schema)}`).join("; ")} }`;
}
