import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, ask, enter, forEveryClient, must, open, refusal } from "./support/clients.mjs";
import { cluster, kept } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Native } from "./support/native.mjs";
import { now } from "./support/tokens.mjs";
import { next, within } from "./support/wait.mjs";

const jwt = { keySecretRef: { name: "keys", key: "jwt" }, leeway: "0s" };
const auth = { required: true, jwt, refreshGrace: "1s" };
const gateway = await useGateway([cluster({ auth }), kept]);

forEveryClient("credentials", (kind) => {
  test("refresh answers with the new expiry and the connection goes on", async () => {
    const socket = await enter(gateway, kind, "ada");
    const exp = now() + 7200;
    const { expires } = await must(socket, "refresh", gateway.token("ada", { exp }));
    assert.equal(expires, exp);
  });

  test("a refresh with another user's token is refused", async () => {
    const socket = await enter(gateway, kind, "ada");
    const answer = await ask(socket, "refresh", gateway.token("eve"));
    assert.equal(answer.ok, false);
    assert.match(answer.error.code, /^[a-z_]+$/);
    await must(socket, "join", fresh("room"));
  });
});

test("a connection whose token expires is closed, and one that refreshed is not", async () => {
  const claims = { exp: now() + 2 };
  const stale = await enter(gateway, STOCK, "stale", { claims, reconnection: false });
  const renewed = await enter(gateway, STOCK, "renewed", { claims, reconnection: false });
  await must(renewed, "refresh", gateway.token("renewed"));
  await next(stale, "disconnect");
  await must(renewed, "join", fresh("room"));
});

test("a revoked user is told, cut and kept out; others stay", async () => {
  const [eve, ada] = [fresh("eve"), fresh("ada")];
  const revoked = await enter(gateway, STOCK, eve);
  const other = await enter(gateway, STOCK, ada);
  const native = await Native.enter(gateway, eve);
  const notice = next(revoked, "revoked");
  const goodbye = next(revoked, "disconnect");
  const answer = await gateway.api("POST", "/v1/revocations", { user: eve });
  assert.ok(answer.status < 300, JSON.stringify(answer));
  await notice;
  await goodbye;
  assert.equal((await within("the plain connection to close", native.closed)).code, 4501);
  const error = await refusal(open(gateway, STOCK, { auth: { token: gateway.token(eve, { iat: now() - 5 }) } }));
  assert.equal(error.data.code, "token_revoked");
  await must(other, "join", fresh("room"));
});

test("a revoked token id is cut; the user's other session stays", async () => {
  const user = fresh("user");
  const lost = await enter(gateway, STOCK, user, { claims: { jti: "stolen" }, reconnection: false });
  const kept = await enter(gateway, STOCK, user, { claims: { jti: "good" } });
  const goodbye = next(lost, "disconnect");
  const answer = await gateway.api("POST", "/v1/revocations", { token: "stolen" });
  assert.ok(answer.status < 300, JSON.stringify(answer));
  await goodbye;
  await must(kept, "join", fresh("room"));
});
