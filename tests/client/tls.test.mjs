import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "node:tls";
import { KINDS, enter, must } from "./support/clients.mjs";
import { selfSigned } from "./support/certificates.mjs";
import { cluster, kept, tlsSecret } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { until } from "./support/wait.mjs";

const [first, second] = [selfSigned("first"), selfSigned("second")];
const documents = (pair) => [cluster({ tls: { secretName: "certificate" } }), kept, tlsSecret("certificate", pair)];
const gateway = await useGateway(documents(first));
gateway.url = gateway.url.replace("http:", "https:");

/** The name in the certificate that the gateway shows to a new connection. */
function shownName() {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: gateway.port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

for (const kind of KINDS) {
  test(`the stock client connects over TLS (${kind.name})`, async () => {
    const socket = await enter(gateway, kind, "ada", { ca: first.certificate });
    await must(socket, "join", fresh("kept"));
  });
}

test("a new certificate is shown to new connections, and open ones stay", async () => {
  const socket = await enter(gateway, KINDS[0], "ada", { ca: first.certificate, reconnection: false });
  assert.equal(await shownName(), "first");
  await gateway.configure(documents(second));
  await until("the new certificate", async () => (await shownName()) === "second");
  await must(socket, "join", fresh("kept"));
});
