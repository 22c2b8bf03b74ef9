import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KINDS } from "./support/clients.mjs";
import { EngineServer } from "./support/engine.mjs";
import { next, within } from "./support/wait.mjs";

const server = await EngineServer.use("socketio-conformance", "/socket.io/");

/** A WebSocket session that is connected to `namespace`; the server's `auth` event is read. */
async function connected(namespace = "") {
  const line = await server.session();
  line.send(`40${namespace}`);
  await line.reads(2);
  return line;
}

describe("connecting", () => {
  for (const [namespace, prefix] of [["the main namespace", ""], ["another namespace", "/custom,"]]) {
    test(`${namespace} answers with an id and hands over the auth`, async () => {
      const line = await server.session();
      line.send(`40${prefix}{"token":"123"}`);
      const [answer, auth] = await line.reads(2);
      assert.ok(answer.startsWith(`40${prefix}{`), answer);
      const opened = JSON.parse(answer.slice(2 + prefix.length));
      assert.deepEqual(Object.keys(opened), ["sid"]);
      assert.notEqual(opened.sid, line.opened.sid);
      assert.equal(auth, `42${prefix}["auth",{"token":"123"}]`);
    });
  }

  test("without auth, the server sees an empty object", async () => {
    const line = await server.session();
    line.send("40");
    assert.equal((await line.reads(2))[1], '42["auth",{}]');
  });

  test("an unknown namespace is refused and the connection goes on", async () => {
    const line = await connected();
    line.send("40/nowhere,");
    assert.equal(await line.read(), '44/nowhere,{"message":"Invalid namespace"}');
    line.send('42["message","here"]');
    assert.equal(await line.read(), '42["message-back","here"]');
  });

  test("an event before any connect closes the connection", async () => {
    const line = await server.session();
    line.send('42["message","too early"]');
    await line.end();
  });

  test("who never connects to a namespace is closed", async () => {
    const hasty = await EngineServer.use("socketio-conformance", "/socket.io/", { pingInterval: 100, pingTimeout: 100 });
    const line = await hasty.session();
    await line.end();
  });
});

describe("events", () => {
  test("arguments of every JSON kind come back as they were", async () => {
    const line = await connected();
    const args = '1,-2.5,"ü\\u0000\\n",null,true,{"a":[{}]},[]';
    line.send(`42["message",${args}]`);
    assert.deepEqual(JSON.parse((await line.read()).slice(2)), JSON.parse(`["message-back",${args}]`));
  });

  test("an event without arguments is an event", async () => {
    const line = await connected();
    line.send('42["message"]');
    assert.equal(await line.read(), '42["message-back"]');
  });

  test("an acknowledgement carries its number and the arguments", async () => {
    const line = await connected("/custom,");
    line.send('42/custom,456["message-with-ack",1,"2",{"3":[false]}]');
    assert.equal(await line.read(), '43/custom,456[1,"2",{"3":[false]}]');
  });

  test("attachments come back behind their packet, in order", async () => {
    const line = await connected();
    const holes = '{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]';
    const [one, two] = [Buffer.from([1, 2, 3]), Buffer.from([4])];
    line.send(`452-["message",${holes}]`, one, two);
    assert.deepEqual(await line.reads(3), [`452-["message-back",${holes}]`, one, two]);
    line.send(`452-7["message-with-ack",${holes}]`, one, two);
    assert.deepEqual(await line.reads(3), [`462-7[${holes}]`, one, two]);
  });

  test("attachments travel over polling in base64", async () => {
    const poller = await server.poller();
    await poller.post("40");
    const packets = [];
    const want = async (count) => { while (packets.length < count) packets.push(...(await poller.packets())); };
    await want(2);
    await poller.post('451-["message",{"_placeholder":true,"num":0}]\x1ebAQID');
    await want(4);
    assert.deepEqual(packets.slice(2), ['451-["message-back",{"_placeholder":true,"num":0}]', "bAQID"]);
  });
});

describe("disconnecting", () => {
  test("one namespace ends and the other goes on", async () => {
    const line = await connected();
    line.send("40/custom,");
    await line.reads(2);
    line.send("41/custom,", '42["message","heard"]');
    assert.equal(await line.read(), '42["message-back","heard"]');
  });

  test("a namespace can be joined again", async () => {
    const line = await connected();
    line.send("40/custom,");
    await line.reads(2);
    line.send("41/custom,", "40/custom,");
    assert.match((await line.reads(2))[0], /^40\/custom,\{"sid":/);
  });
});

describe("bad packets close the connection", () => {
  for (const [what, ...messages] of [
    ["an unknown type", "4abc"],
    ["a type out of range", '47["message"]'],
    ["an object where an event should be", "42{}"],
    ["an empty event", "42[]"],
    ["an event whose name is no text", '42[{"a":1}]'],
    ["broken JSON", '42["message",'],
    ["an acknowledgement number that is none", '42abc["message-with-ack"]'],
    ["text where an attachment is due", '451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],
    ["an attachment that nothing announced", Buffer.from([1])],
    ["a placeholder beyond the attachments", '451-["message",{"_placeholder":true,"num":5}]', Buffer.from([1])],
    ["more attachments than any packet has", '459999999999-["message"]'],
  ]) {
    test(what, async () => {
      const line = await connected();
      line.send(...messages);
      await line.end();
    });
  }
});

for (const kind of KINDS) {
  test(`the stock client talks both ways, with bytes and acknowledgements (${kind.name})`, async () => {
    const socket = kind.io(`${server.url}/custom`, { transports: kind.transports, forceNew: true, auth: { a: 1 } });
    try {
      assert.deepEqual(await next(socket, "auth"), [{ a: 1 }]);
      const back = next(socket, "message-back");
      socket.emit("message", "text", { bytes: Buffer.from([1, 2]) });
      const [text, { bytes }] = await back;
      assert.deepEqual([text, Buffer.from(bytes)], ["text", Buffer.from([1, 2])]);
      const answer = await within("the acknowledgement", new Promise((resolve) => {
        socket.emit("message-with-ack", 1, { x: 2 }, (...args) => resolve(args));
      }));
      assert.deepEqual(answer, [1, { x: 2 }]);
    } finally {
      socket.disconnect();
    }
  });
}
