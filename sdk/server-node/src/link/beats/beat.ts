/** The version of the protocol that this library speaks. */
export const PROTOCOL = 1;

/** How often each instance and each gateway says that it is there, in ms. */
export const BEAT_EVERY = 500;

/** What an instance says of itself. */
export interface InstanceBeat {
  readonly protocol: number;
  readonly instance: string;
  readonly name: string;
  readonly zone?: string | undefined;
  readonly sessions: number;
  /** Milliseconds since its main loop last ran. */
  readonly tick: number;
  readonly leaving?: boolean;
  readonly bye?: boolean;
}

/** What a gateway says of itself. */
export interface GatewayBeat {
  readonly protocol: number;
  readonly gateway: string;
  readonly name?: string | undefined;
  readonly zone?: string | undefined;
  readonly bye?: boolean;
}

export function parseGatewayBeat(bytes: Uint8Array): GatewayBeat | undefined {
  const beat = parseObject(bytes);
  return beat && typeof beat.gateway === "string" && /^[0-9a-f]{8}$/.test(beat.gateway)
    ? (beat as unknown as GatewayBeat)
    : undefined;
}

export function parseInstanceBeat(bytes: Uint8Array): InstanceBeat | undefined {
  const beat = parseObject(bytes);
  return beat && typeof beat.instance === "string" && /^[A-Za-z0-9]{16}$/.test(beat.instance)
    ? (beat as unknown as InstanceBeat)
    : undefined;
}

/** The object of a JSON text; anything else is `undefined`. */
export function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
    return value !== null && typeof value === "object" && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
