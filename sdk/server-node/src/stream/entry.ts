/** What is wrong with bytes that are no entries. The stream cannot be read on, and must be opened anew. */
export class MalformedEntry extends Error {
  override readonly name = "MalformedEntry";
}

/** One entry of a stream: `<kind> <lengths> <fields…>\n<bodies>`. */
export interface Entry {
  readonly kind: string;
  /** The fields as they were written; `-` stands for none. */
  readonly fields: readonly string[];
  readonly bodies: readonly Buffer[];
}

/** The most bytes that an entry's first line may have, without its line feed. */
export const LINE_BYTES = 1024;

/** A field's text, where `-` and what is not there both are `undefined`. */
export function field(entry: Entry, index: number): string | undefined {
  const text = entry.fields[index];
  return text === undefined || text === "-" ? undefined : text;
}

/** A field that is a decimal number; anything else is `undefined`. */
export function numberField(entry: Entry, index: number): number | undefined {
  const text = field(entry, index);
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : undefined;
}

/**
 * Writes an entry. A field that is `undefined` becomes `-`. With one text and no blobs, which most entries are, all is one
 * allocation.
 */
export function encodeEntry(
  kind: string,
  fields: readonly (string | number | undefined)[],
  texts: readonly string[] = [],
  blobs: readonly Uint8Array[] = [],
): Buffer {
  let lengths = "";
  for (const text of texts) lengths += `${lengths && ","}${Buffer.byteLength(text)}`;
  for (const blob of blobs) lengths += `${lengths && ","}${blob.byteLength}`;
  let line = `${kind} ${lengths || "-"}`;
  for (const value of fields) line += ` ${value ?? "-"}`;
  if (line.length > LINE_BYTES) throw new MalformedEntry(`The line of an entry has more than ${LINE_BYTES} bytes.`);
  const head = Buffer.from(`${line}\n${texts.join("")}`);
  return blobs.length === 0 ? head : Buffer.concat([head, ...blobs]);
}
