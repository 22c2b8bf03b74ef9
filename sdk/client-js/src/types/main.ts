// The command: npx @sluice/client types FILE... [--output FILE]
import { readFileSync, writeFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { type RoomDocument, roomTypes } from "./rooms.js";

const USAGE =
  "Usage: npx @sluice/client types ROOMS.yaml... [--output FILE]\nWrites TypeScript types of rooms, events and data from the JSON Schemas of Rooms.";

function main([command, ...rest]: readonly string[]): void {
  const at = rest.indexOf("--output");
  const output = at < 0 ? undefined : rest[at + 1];
  const files = at < 0 ? rest : rest.filter((_, place) => place !== at && place !== at + 1);
  if (command !== "types" || files.length === 0 || (at >= 0 && output === undefined)) {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  const types = roomTypes(files.flatMap(read));
  if (output === undefined) process.stdout.write(types);
  else writeFileSync(output, types);
}

function read(file: string): RoomDocument[] {
  return parseAllDocuments(readFileSync(file, "utf8")).map((document) => {
    const [error] = document.errors;
    if (error) throw new Error(`${file} is not YAML: ${error.message}`);
    return (document.toJS() ?? {}) as RoomDocument;
  });
}

main(process.argv.slice(2));
