import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EngineServer, SEPARATOR } from "./support/engine.mjs";
import { until } from "./support/wait.mjs";

const MAX_PAYLOAD = 100_000;
const server = await EngineServer.use("engineio-echo", "/engine.io/", { maxPayload: MAX_PAYLOAD });
const hasty = await EngineServer.use("engineio-echo", "/engine.io/", { pingInterval: 300, pingTimeout: 200 });

const gone = (poller) => until("the session to end", async () => (await poller.poll()).status === 400);

describe("opening", () => {
  test("a poll without a session opens one that may upgrade", async () => {
    const response = await server.get("&transport=polling");
    assert.equal(response.status, 200);
    const { sid, ...rest } = JSON.parse((await response.text()).slice(1));
    assert.ok(sid.length >= 16);
    assert.deepEqual(rest, {
      upgrades: ["websocket"], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: MAX_PAYLOAD,
    });
  });

  test("a WebSocket opens a session that has nothing to upgrade to", async () => {
    const { opened } = await server.session();
    assert.deepEqual(opened.upgrades, []);
  });

  test("no two sessions have the same id", async () => {
    const pollers = await Promise.all(Array.from({ length: 50 }, () => server.poller()));
    assert.equal(new Set(pollers.map((poller) => poller.sid)).size, 50);
  });

  for (const [what, query, code] of [
    ["no transport", "", 0],
    ["an unknown transport", "&transport=pigeon", 0],
    ["a session that does not exist", "&transport=polling&sid=nobody", 1],
    ["another protocol version", "&transport=polling&EIO=3", 5],
  ]) {
    test(`a request with ${what} is refused as Engine.IO numbers it`, async () => {
      const url = query.includes("EIO=") ? server.base.replace("?EIO=4", "?") + query.slice(1) : server.base + query;
      const response = await fetch(`http://${url}`);
      assert.equal(response.status, 400);
      const body = await response.json();
      assert.equal(body.code, code);
      assert.ok(body.message.length > 0);
    });
  }

  for (const method of ["POST", "PUT", "DELETE"]) {
    test(`${method} opens nothing`, async () => {
      assert.equal((await server.request("&transport=polling", { method })).status, 400);
    });
  }

  test("a WebSocket for a session that does not exist is refused", async () => {
    await server.webSocket("nobody").end();
  });
});

describe("messages", () => {
  test("texts that come in one body go back in order", async () => {
    const poller = await server.poller();
    const body = ["4one", "4zwei", "4三"].join(SEPARATOR);
    const answer = await poller.post(body);
    assert.deepEqual([answer.status, await answer.text()], [200, "ok"]);
    assert.deepEqual(await poller.packets(), ["4one", "4zwei", "4三"]);
  });

  test("bytes travel in base64 over polling and as they are over WebSocket", async () => {
    const poller = await server.poller();
    const bytes = Buffer.from([0, 1, 254, 255]);
    await poller.post(`b${bytes.toString("base64")}`);
    assert.deepEqual(await poller.packets(), [`b${bytes.toString("base64")}`]);
    const line = await server.session();
    line.send(bytes);
    assert.deepEqual(await line.read(), bytes);
  });

  test("an empty message is a message", async () => {
    const line = await server.session();
    line.send("4", "4next");
    assert.deepEqual(await line.reads(2), ["4", "4next"]);
  });

  test("a poll that waits is answered by the next message", async () => {
    const poller = await server.poller();
    const waiting = poller.packets();
    await poller.post("4at last");
    assert.deepEqual(await waiting, ["4at last"]);
  });

  test("a thousand messages in many bodies keep their order", async () => {
    const poller = await server.poller();
    const sent = Array.from({ length: 1000 }, (_, n) => `4${n}`);
    for (let start = 0; start < sent.length; start += 100) {
      await poller.post(sent.slice(start, start + 100).join(SEPARATOR));
    }
    const received = [];
    while (received.length < sent.length) received.push(...(await poller.packets()));
    assert.deepEqual(received, sent);
  });

  test("a message that comes in fragments is joined", async () => {
    const line = await server.session();
    line.socket.send("4in ", { fin: false });
    line.socket.send("three ", { fin: false });
    line.socket.send("parts", { fin: true });
    assert.equal(await line.read(), "4in three parts");
  });

  test("a WebSocket ping is answered with its own data", async () => {
    const line = await server.session();
    const pong = new Promise((resolve) => line.socket.once("pong", (data) => resolve(String(data))));
    line.socket.ping("are you there");
    assert.equal(await pong, "are you there");
  });

  test("the largest message that is allowed goes through on both transports", async () => {
    const message = `4${"x".repeat(MAX_PAYLOAD - 1)}`;
    const line = await server.session();
    line.send(message);
    assert.equal(await line.read(), message);
    const poller = await server.poller();
    assert.equal((await poller.post(message)).status, 200);
    assert.deepEqual(await poller.packets(), [message]);
  });
});

describe("bad input", () => {
  test("a message over the limit closes the WebSocket with 1009", async () => {
    const line = await server.session();
    line.send(`4${"x".repeat(MAX_PAYLOAD)}`);
    assert.equal(await line.end(), 1009);
  });

  test("a body over the limit is refused", async () => {
    const poller = await server.poller();
    const status = await poller.post(`4${"x".repeat(MAX_PAYLOAD)}`).then((answer) => answer.status, () => 413);
    assert.ok([400, 413].includes(status), `status ${status}`);
  });

  for (const bad of ["hello", "9", "", "bnot base64!"]) {
    test(`the packet ${JSON.stringify(bad)} ends a polling session`, async () => {
      const poller = await server.poller();
      const status = await poller.post(bad).then((answer) => answer.status, () => 400);
      assert.equal(status, 400);
      await gone(poller);
    });
  }

  test("an unknown packet closes a WebSocket", async () => {
    const line = await server.session();
    line.send("hello");
    await line.end();
  });

  test("two polls at once end the session", async () => {
    const poller = await server.poller();
    const statuses = [];
    const polls = [poller.poll(), poller.poll()].map(async (poll) => statuses.push((await poll).status));
    await Promise.all(polls);
    assert.deepEqual(statuses.map((status) => status === 200).sort(), [false, true]);
    await gone(poller);
  });

  test("a poll that the client gives up ends the session", async () => {
    const poller = await server.poller();
    await until("the session to end", async () => {
      const signal = AbortSignal.timeout(50);
      return poller.poll({ signal }).then((answer) => answer.status === 400, () => false);
    });
  });
});

describe("heartbeat", () => {
  test("a WebSocket that answers its pings stays", async () => {
    const line = await hasty.session();
    for (let beat = 0; beat < 3; beat += 1) {
      assert.equal(await line.read(), "2");
      line.send("3");
    }
    line.send("4still here");
    assert.equal(await line.read(), "4still here");
  });

  test("a poller that answers its pings stays", async () => {
    const poller = await hasty.poller();
    for (let beat = 0; beat < 3; beat += 1) {
      assert.deepEqual(await poller.packets(), ["2"]);
      assert.equal((await poller.post("3")).status, 200);
    }
  });

  test("who does not answer is closed", async () => {
    const line = await hasty.session();
    assert.equal(await line.read(), "2");
    await line.end();
    await gone(await hasty.poller());
  });
});

describe("closing", () => {
  test("a close packet ends a WebSocket session", async () => {
    const line = await server.session();
    line.send("1");
    await line.end();
  });

  test("a close packet ends a polling session and its waiting poll", async () => {
    const poller = await server.poller();
    const waiting = poller.packets();
    await poller.post("1");
    assert.deepEqual(await waiting, ["6"]);
    await gone(poller);
  });
});

describe("upgrade", () => {
  /** A session that has moved from polling to a WebSocket. */
  async function upgraded() {
    const poller = await server.poller();
    const line = server.webSocket(poller.sid);
    await line.open();
    line.send("2probe");
    assert.equal(await line.read(), "3probe");
    line.send("5");
    return { poller, line };
  }

  test("a waiting poll is released by the probe and messages go on over the WebSocket", async () => {
    const poller = await server.poller();
    const waiting = poller.packets();
    const line = server.webSocket(poller.sid);
    await line.open();
    line.send("2probe");
    assert.equal(await line.read(), "3probe");
    assert.deepEqual(await waiting, ["6"]);
    line.send("5", "4over");
    assert.equal(await line.read(), "4over");
  });

  test("a message that waits when the upgrade ends comes over the WebSocket, before later ones", async () => {
    const poller = await server.poller();
    const line = server.webSocket(poller.sid);
    await line.open();
    line.send("2probe");
    assert.equal(await line.read(), "3probe");
    await poller.post("4early");
    line.send("5", "4late");
    assert.deepEqual(await line.reads(2), ["4early", "4late"]);
  });

  test("after it, polls are refused and the session lives", async () => {
    const { poller, line } = await upgraded();
    line.send("4first");
    assert.equal(await line.read(), "4first");
    assert.equal((await poller.poll()).status, 400);
    line.send("4second");
    assert.equal(await line.read(), "4second");
  });

  test("after it, a second WebSocket is refused and the session lives", async () => {
    const { poller, line } = await upgraded();
    line.send("4first");
    assert.equal(await line.read(), "4first");
    await server.webSocket(poller.sid).end();
    line.send("4second");
    assert.equal(await line.read(), "4second");
  });

  test("a probe that is given up leaves the polling session as it was", async () => {
    const poller = await server.poller();
    const line = server.webSocket(poller.sid);
    await line.open();
    line.send("2probe");
    assert.equal(await line.read(), "3probe");
    line.socket.close();
    await line.end();
    await poller.post("4unharmed");
    const packets = [];
    while (!packets.includes("4unharmed")) packets.push(...(await poller.packets()));
    assert.deepEqual(packets.filter((packet) => packet !== "6"), ["4unharmed"]);
  });
});
