import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, connected, enter, forEveryClient, must, open, refusal } from "./support/clients.mjs";
import { cluster, kept } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { now, sign } from "./support/tokens.mjs";

const gateway = await useGateway([cluster({ namespaces: ["/", "/orders"] }), kept]);

forEveryClient("connecting", (kind) => {
  test("a token in auth.token is accepted", async () => {
    const socket = await enter(gateway, kind, "ada");
    assert.equal(typeof socket.id, "string");
  });

  test("no token is refused with a code", async () => {
    const error = await refusal(open(gateway, kind));
    assert.equal(error.data.code, "token_missing");
    assert.ok(error.message.length > 0);
  });

  test("a token of another key is refused with a code", async () => {
    const token = sign("some-other-key-that-nobody-configured", { sub: "ada" });
    const error = await refusal(open(gateway, kind, { auth: { token } }));
    assert.equal(error.data.code, "token_signature");
  });

  test("an expired token is refused with a code", async () => {
    const token = gateway.token("ada", { exp: now() - 600 });
    const error = await refusal(open(gateway, kind, { auth: { token } }));
    assert.equal(error.data.code, "token_expired");
  });

  test("a refused client gets in with the next token it offers", async () => {
    const socket = open(gateway, kind, { auth: { token: "nonsense" }, reconnection: false });
    const error = await new Promise((resolve) => socket.once("connect_error", resolve));
    assert.equal(error.data.code, "token_malformed");
    socket.auth = { token: gateway.token("ada") };
    await connected(socket.connect());
  });

  test("a namespace that the cluster lists has its own rooms", async () => {
    const room = fresh("kept");
    const main = await enter(gateway, kind, "ada");
    const orders = await enter(gateway, kind, "bob", { namespace: "/orders" });
    await must(main, "join", room);
    await must(orders, "join", room);
    const { users } = await must(main, "presence", room);
    assert.deepEqual(users, ["ada"]);
  });

  test("an unlisted namespace is refused as Socket.IO does", async () => {
    const auth = { token: gateway.token("ada") };
    const error = await refusal(open(gateway, kind, { auth, namespace: "/nowhere" }));
    assert.equal(error.message, "Invalid namespace");
  });

  test("two namespaces share one transport", async () => {
    const auth = { token: gateway.token("ada") };
    const main = await connected(open(gateway, kind, { auth }));
    const orders = await connected(main.io.socket("/orders", { auth }));
    const room = fresh("room");
    await must(orders, "join", room);
    await must(main, "join", room);
    orders.disconnect();
    assert.equal((await must(main, "presence", room)).count, 1);
  });
});

test("a token in the Authorization header is accepted", async () => {
  const extraHeaders = { authorization: `Bearer ${gateway.token("ada")}` };
  await connected(open(gateway, STOCK, { extraHeaders }));
});

test("a token in the URL is ignored", async () => {
  const error = await refusal(open(gateway, STOCK, { query: { token: gateway.token("ada") } }));
  assert.equal(error.data.code, "token_missing");
});
