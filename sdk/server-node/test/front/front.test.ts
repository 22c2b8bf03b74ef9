import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { after, afterEach, before, describe, test } from "node:test";
import { Front, type FrontOptions } from "../../src/front/front.js";

const addressOf = (http: HttpServer) => `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
const listening = async (http: HttpServer) => {
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return http;
};

/** What stands for a gateway: it tells what it was asked, and after an upgrade it sends back what it gets. */
let gateway: HttpServer;
const fronts: Front[] = [];

before(async () => {
  gateway = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      response.writeHead(201, { "x-from": "gateway", "set-cookie": ["a=1", "b=2"] });
      const { method, url, headers } = request;
      response.end(
        JSON.stringify({ method, url, body, from: headers["x-forwarded-for"], custom: headers["x-custom"] }),
      );
    });
  });
  gateway.on("upgrade", (request, socket, head) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nx-url: ${request.url}\r\n\r\n`);
    socket.write(head);
    socket.pipe(socket);
  });
  await listening(gateway);
});
afterEach(() => {
  for (const front of fronts.splice(0)) front.close();
});
after(() => {
  gateway.closeAllConnections();
  gateway.close();
});

async function frontOf(http: HttpServer, options: Partial<FrontOptions> = {}): Promise<string> {
  const at = addressOf(gateway);
  const front = new Front(http, { gateway: () => at, path: "/socket.io", serveClient: true, ...options });
  fronts.push(front);
  await listening(http);
  return addressOf(http);
}

describe("the front", () => {
  test("hands on what is under its path, and nothing else", async () => {
    const own = createServer((_request, response) => response.end("own page"));
    const url = await frontOf(own, { path: "/my/path/" });
    assert.equal(await (await fetch(`${url}/page`)).text(), "own page");
    assert.equal(await (await fetch(`${url}/my/pathological`)).text(), "own page");
    const answer = await fetch(`${url}/my/path/?EIO=4`, {
      method: "POST",
      body: "4hello",
      headers: { "x-custom": "c" },
    });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get("x-from"), "gateway");
    assert.deepEqual(answer.headers.getSetCookie(), ["a=1", "b=2"]);
    assert.deepEqual(await answer.json(), {
      method: "POST",
      url: "/socket.io/?EIO=4",
      body: "4hello",
      from: "127.0.0.1",
      custom: "c",
    });
  });

  test("hands on upgrades, and bytes both ways", async () => {
    const url = new URL(await frontOf(createServer()));
    const socket = connect(Number(url.port), url.hostname);
    socket.write("GET /socket.io/?x=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly");
    let said = "";
    for await (const chunk of socket) {
      said += chunk;
      if (said.endsWith("early")) socket.write("late");
      if (said.endsWith("late")) break;
    }
    assert.match(said, /101 Switching Protocols\r\nx-url: \/socket\.io\/\?x=1\r\n\r\nearlylate$/);
  });

  test("serves the client's bundle, once for a browser that has it", async () => {
    const url = await frontOf(createServer());
    const answer = await fetch(`${url}/socket.io/socket.io.min.js`);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), "application/javascript; charset=utf-8");
    assert.match(await answer.text(), /Socket\.IO v4/);
    const tag = answer.headers.get("etag")!;
    const again = await fetch(`${url}/socket.io/socket.io.min.js`, { headers: { "if-none-match": tag } });
    assert.equal(again.status, 304);
    const without = await frontOf(createServer(), { serveClient: false });
    assert.equal((await fetch(`${without}/socket.io/socket.io.js`)).status, 201, "the gateway answers");
  });

  test("lets pages of other origins ask, and refuses connections, as the application says", async () => {
    const url = await frontOf(createServer(), {
      cors: { origin: ["https://good.example", /\.better\.example$/], methods: ["GET", "POST"], credentials: true },
      allowRequest: (request, then) => then(null, !request.url?.includes("bad")),
    });
    const asks = (origin: string, method = "GET", query = "?EIO=4") =>
      fetch(`${url}/socket.io/${query}`, { method, headers: { origin } });
    const good = await asks("https://a.better.example");
    assert.equal(good.headers.get("access-control-allow-origin"), "https://a.better.example");
    assert.equal(good.headers.get("access-control-allow-credentials"), "true");
    const options = await asks("https://good.example", "OPTIONS");
    assert.equal(options.status, 204);
    assert.equal(options.headers.get("access-control-allow-methods"), "GET,POST");
    assert.equal((await asks("https://bad.example")).headers.get("access-control-allow-origin"), null);
    const refused = await asks("https://good.example", "GET", "?EIO=4&bad=1");
    assert.equal(refused.status, 403);
    assert.deepEqual(await refused.json(), { code: 4, message: "Forbidden" });
  });

  test("says what to do where there is no gateway", async () => {
    const none = await frontOf(createServer(), { gateway: undefined });
    const refusal = await fetch(`${none}/socket.io/?EIO=4`);
    assert.equal(refusal.status, 404);
    assert.match(await refusal.text(), /give the option gateway/);
    const dead = await frontOf(createServer(), { gateway: () => "http://127.0.0.1:1" });
    const answer = await fetch(`${dead}/socket.io/?EIO=4`);
    assert.equal(answer.status, 502);
    assert.match(await answer.text(), /No gateway answers at http:\/\/127\.0\.0\.1:1/);
  });
});
