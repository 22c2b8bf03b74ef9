/**
 * Bytes in data. JSON has none, so they travel beside it in base64, and a placeholder stands where they were:
 * docs/protocol.md, "Binary data".
 */
import type { Data } from "./wire.js";

interface Placeholder {
  readonly _placeholder: true;
  readonly num: number;
}

const isPlaceholder = (value: object): value is Placeholder =>
  (value as Placeholder)._placeholder === true && typeof (value as Placeholder).num === "number";

/** Takes the bytes out of data: `Uint8Array`, other views, and `ArrayBuffer`. */
export function detach(data: Data): { data: Data; attachments: string[] } {
  const attachments: string[] = [];
  const walk = (value: Data): Data => {
    if (typeof value !== "object" || value === null) return value;
    const bytes = bytesOf(value);
    if (bytes) return { _placeholder: true, num: attachments.push(toBase64(bytes)) - 1 };
    if ("toJSON" in value) return value;
    return mapValues(value, walk);
  };
  return { data: walk(data), attachments };
}

/** Puts the bytes back where the placeholders are, as `Uint8Array`. */
export function attach(data: Data, attachments: readonly string[] | undefined): Data {
  if (!attachments?.length) return data;
  const walk = (value: Data): Data => {
    if (typeof value !== "object" || value === null) return value;
    if (!isPlaceholder(value)) return mapValues(value, walk);
    const text = attachments[value.num];
    return text === undefined ? value : fromBase64(text);
  };
  return walk(data);
}

function mapValues(value: object, walk: (value: Data) => Data): Data {
  if (Array.isArray(value)) return value.map(walk);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, walk(each)]));
}

function bytesOf(value: object): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) return undefined;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
