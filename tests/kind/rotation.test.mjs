import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { connect } from "node:tls";
import { SIGNING_KEY, tlsSecret } from "../client/support/documents.mjs";
import { selfSigned } from "../client/support/certificates.mjs";
import { sign } from "../client/support/tokens.mjs";
import { within } from "../client/support/wait.mjs";
import { KubeFleet, keys, realtimeCluster } from "./support/fleet.mjs";
import { apply, eventually, kubectl, restricted } from "./support/kube.mjs";
import { install } from "./support/release.mjs";

const { io } = createRequire(new URL("../fleet/package.json", import.meta.url))("socket.io-client");

const NAMESPACE = "rotation";
const CLIENTS = 50;

describe("a gateway with TLS", () => {
  let fleet;
  const sockets = [];
  before(async () => {
    await install();
    // What an earlier run left would be deleted together with what is made now.
    await kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found"]);
    await apply("default", restricted(NAMESPACE));
    const cluster = realtimeCluster("secure", 1, { tls: { secretName: "certificate" }, backbone: { memory: {} } });
    fleet = await KubeFleet.start(NAMESPACE, [keys(), tlsSecret("certificate", selfSigned("first")), cluster]);
  });
  after(async () => {
    for (const socket of sockets) socket.disconnect();
    await kubectl(["delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait=false"]);
  });

  test("shows a new certificate to new connections, and disconnects nobody", async () => {
    const lost = [];
    await Promise.all(Array.from({ length: CLIENTS }, (_, n) => connected(`client-${n}`, (reason) => lost.push(reason))));
    assert.equal(await subject(), "first");
    await apply(NAMESPACE, tlsSecret("certificate", selfSigned("second")));
    await eventually("the new certificate", async () => (await subject()) === "second");
    await connected("late", () => {});
    assert.deepEqual(lost, []);
  });

  async function connected(user, lost) {
    // The certificate is its own authority, and not in the client's store.
    const socket = io(fleet.balancer.url, {
      transports: ["websocket"], forceNew: true, rejectUnauthorized: false, auth: { token: sign(SIGNING_KEY, { sub: user }) },
    });
    sockets.push(socket);
    await within(`${user} to be connected`, new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
    }));
    socket.on("disconnect", lost);
  }

  /** Whose name the gateway's certificate has. */
  function subject() {
    const { hostname: host, port } = new URL(fleet.balancer.url);
    return within("a handshake", new Promise((resolve, reject) => {
      const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().subject.CN);
        socket.destroy();
      });
      socket.once("error", reject);
    }));
  }
});
