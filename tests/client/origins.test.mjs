import assert from "node:assert/strict";
import { test } from "node:test";
import { STOCK, enter } from "./support/clients.mjs";
import { cluster, kept } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { Native } from "./support/native.mjs";

const origins = ["https://chat.example.com", "https://*.example.org"];
const gateway = await useGateway([cluster({ origins }), kept]);
const polling = () => `${gateway.url}/socket.io/?EIO=4&transport=polling`;

for (const origin of ["https://chat.example.com", "https://a.example.org"]) {
  test(`a browser at ${origin} may poll, with its preflight`, async () => {
    const preflight = await fetch(polling(), {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
    });
    assert.ok([200, 204].includes(preflight.status), `status ${preflight.status}`);
    assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
    assert.match(preflight.headers.get("access-control-allow-methods"), /POST/);
    const poll = await fetch(polling(), { headers: { origin } });
    assert.equal(poll.status, 200);
    assert.equal(poll.headers.get("access-control-allow-origin"), origin);
    assert.match(poll.headers.get("vary") ?? "", /origin/i);
  });
}

for (const origin of ["https://evil.example.net", "http://chat.example.com", "https://example.org", "null"]) {
  test(`a browser at ${origin} is refused in the handshake`, async () => {
    const poll = await fetch(polling(), { headers: { origin } });
    assert.equal(poll.status, 403);
    assert.equal(poll.headers.get("access-control-allow-origin"), null);
    await assert.rejects(Native.open(gateway, { headers: { origin } }), /403/);
    await assert.rejects(enter(gateway, STOCK, "ada", { extraHeaders: { origin } }));
  });
}

test("a client that names no origin is no browser and is let in", async () => {
  await enter(gateway, STOCK, "ada");
  await Native.enter(gateway, "nat");
});
