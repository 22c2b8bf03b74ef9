import { randomInt } from "node:crypto";

/**
 * A name as one token of a subject: letters, digits, `-` and `_` as they are, every other byte of its UTF-8 as `=` and two
 * upper-case hexadecimal digits.
 */
export function token(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/gu, (character) =>
    Array.from(Buffer.from(character), (byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}

/** The subjects of an application. */
export interface Subjects {
  readonly beatsOfInstances: string;
  readonly beatsOfGateways: string;
  readonly peers: string;
  toInstance(instance: string): string;
  toGateway(gateway: string): string;
  toPeer(instance: string): string;
}

export function subjectsOf(place: { kubernetesNamespace: string; cluster: string; application: string }): Subjects {
  const prefix = `sluice.${token(place.kubernetesNamespace)}.${token(place.cluster)}.app.${token(place.application)}`;
  return {
    beatsOfInstances: `${prefix}.beat.i`,
    beatsOfGateways: `${prefix}.beat.g`,
    peers: `${prefix}.peers`,
    toInstance: (instance) => `${prefix}.to.${instance}`,
    toGateway: (gateway) => `${prefix}.from.${gateway}`,
    toPeer: (instance) => `${prefix}.peer.${instance}`,
  };
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The id of an instance: drawn anew by each process. */
export function newInstanceId(): string {
  return Array.from({ length: 16 }, () => LETTERS[randomInt(LETTERS.length)]).join("");
}
