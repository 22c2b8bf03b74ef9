/** The arguments of an event as they are sent: JSON with placeholders, and what they stand for. */
export interface EncodedArgs {
  readonly text: string;
  readonly blobs: readonly Uint8Array[];
}

type Placeholder = { _placeholder: true; num: number };

/** Encodes arguments. Binary ones, at any depth, become blobs. */
export function encodeArgs(args: readonly unknown[]): EncodedArgs {
  if (!hasBinary(args)) return { text: JSON.stringify(args), blobs: [] };
  const blobs: Uint8Array[] = [];
  const text = JSON.stringify(withoutBinary(args, blobs));
  return { text, blobs };
}

/** Reads arguments: the first body is JSON, the others are what its placeholders stand for. `undefined` if it is no array. */
export function decodeArgs(bodies: readonly Buffer[]): unknown[] | undefined {
  const [text, ...blobs] = bodies;
  if (!text) return undefined;
  try {
    const args = JSON.parse(text.toString());
    if (!Array.isArray(args)) return undefined;
    return blobs.length === 0 ? args : (withBinary(args, blobs) as unknown[]);
  } catch {
    return undefined;
  }
}

function binaryOf(value: object): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (typeof Blob !== "undefined" && value instanceof Blob) {
    throw new TypeError("A Blob is read by promises only: emit `Buffer.from(await blob.arrayBuffer())` instead.");
  }
  return undefined;
}

function hasBinary(value: unknown): boolean {
  if (value === null || typeof value !== "object") return false;
  if (Array.isArray(value)) return value.some(hasBinary);
  if (binaryOf(value)) return true;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return hasBinary(toJSON.call(value));
  for (const key in value) {
    if (Object.hasOwn(value, key) && hasBinary((value as Record<string, unknown>)[key])) return true;
  }
  return false;
}

function withoutBinary(value: unknown, blobs: Uint8Array[]): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => withoutBinary(item, blobs));
  const binary = binaryOf(value);
  if (binary) return { _placeholder: true, num: blobs.push(binary) - 1 } satisfies Placeholder;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return withoutBinary(toJSON.call(value), blobs);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutBinary(item, blobs)]));
}

function withBinary(value: unknown, blobs: readonly Buffer[]): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => withBinary(item, blobs));
  const { _placeholder: is, num } = value as Partial<Placeholder>;
  if (is === true) {
    const blob = typeof num === "number" ? blobs[num] : undefined;
    if (!blob) throw new Error("A placeholder stands for no attachment.");
    return blob;
  }
  for (const [key, item] of Object.entries(value)) {
    (value as Record<string, unknown>)[key] = withBinary(item, blobs);
  }
  return value;
}
