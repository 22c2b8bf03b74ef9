import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { test } from "node:test";
import WebSocket from "ws";
import { STOCK, enter, must } from "./support/clients.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Record } from "./support/record.mjs";
import { within } from "./support/wait.mjs";

const gateway = await useGateway();

/** Bytes that look random and are the same in every run. */
function bytes(seed, length) {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, n) =>
    createHash("sha256").update(`${seed}:${n}`).digest());
  return Buffer.concat(blocks).subarray(0, length);
}

/** Packets that were right before a byte of them changed. */
function damaged(seed) {
  const whole = ['42["join","r"]', '421["publish","r","e",{"a":[1,2]},{"id":"x"}]', "40/,{}", '451-["publish","r","e",{"_placeholder":true,"num":0}]'];
  const packet = Buffer.from(whole[seed % whole.length]);
  packet[bytes(seed, 2).readUInt16LE() % packet.length] = bytes(seed, 1)[0];
  return packet.toString("latin1");
}

/** Two members of a room, to see that nobody else is harmed. */
async function bystanders() {
  const name = fresh("kept");
  const [ada, bob] = [await enter(gateway, STOCK, "ada"), await enter(gateway, STOCK, "bob")];
  await must(ada, "join", name);
  const record = new Record(ada, "n");
  let sent = 0;
  return async () => {
    await must(bob, "publish", name, "n", (sent += 1));
    await record.count(sent);
  };
}

function closed(socket) {
  socket.on("error", () => {});
  return within("the gateway to close what it cannot read", new Promise((resolve) => socket.once("close", resolve)));
}

test("damaged packets and random messages close only their own connection", async () => {
  const unharmed = await bystanders();
  for (const path of ["/socket.io/?EIO=4&transport=websocket", "/ws"]) {
    for (let seed = 0; seed < 200; seed += 1) {
      const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}${path}`, path === "/ws" ? ["sluice.v1.json"] : []);
      const end = closed(socket);
      socket.once("open", () => {
        socket.send(seed % 2 ? damaged(seed) : bytes(seed, 200).toString("latin1"));
        socket.send(bytes(seed, 50));
        socket.close();
      });
      await end;
    }
    await unharmed();
  }
});

test("bytes that are no WebSocket frame close only their own connection", async () => {
  const unharmed = await bystanders();
  for (let seed = 0; seed < 100; seed += 1) {
    const socket = connect(gateway.port, "127.0.0.1");
    const end = closed(socket);
    socket.write(
      "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
    socket.once("data", () => {
      // An unmasked frame first: a client must mask, so this can only be refused.
      socket.end(Buffer.concat([Buffer.from([0x81, 0x05]), bytes(seed, 300)]));
    });
    socket.resume();
    await end;
  }
  await unharmed();
});

test("random polling bodies end only their own session", async () => {
  const unharmed = await bystanders();
  for (let seed = 0; seed < 100; seed += 1) {
    const url = `${gateway.url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(url)).text()).slice(1));
    const body = seed % 2 ? `4${damaged(seed)}` : bytes(seed, 500);
    const status = await fetch(`${url}&sid=${sid}`, { method: "POST", body }).then((answer) => answer.status, () => 400);
    assert.ok([200, 400].includes(status), `status ${status}`);
  }
  await unharmed();
});

test("requests that are no HTTP, or never end, harm nobody", async () => {
  const unharmed = await bystanders();
  const requests = [bytes(1, 500), "GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", `GET /${"x".repeat(100_000)}`, "\r\n\r\n\r\n"];
  const sockets = Array.from({ length: 100 }, (_, n) => {
    const socket = connect(gateway.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(requests[n % requests.length]);
    return socket;
  });
  await unharmed();
  await enter(gateway, STOCK, "late");
  await unharmed();
  for (const socket of sockets) socket.destroy();
});
