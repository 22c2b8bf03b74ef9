import { createHmac } from "node:crypto";

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The time as JWTs write it: whole seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1000);

/** Signs `claims` with HS256 (RFC 7515): valid for an hour unless they carry their own `exp`. */
export function sign(key, claims) {
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part({ exp: now() + 3600, ...claims })}`;
  return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`;
}
