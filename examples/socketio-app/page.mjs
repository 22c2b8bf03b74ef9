// Serves the page and the stock Socket.IO client. PORT is where (8080), GATEWAY_URL where browsers
// find the gateway (http://localhost:3000).
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const port = Number(process.env.PORT ?? 8080);
const gateway = process.env.GATEWAY_URL ?? "http://localhost:3000";
const FILES = new Map([
  ["/", ["text/html", here("public/index.html")]],
  ["/page.js", ["text/javascript", here("public/page.js")]],
  ["/socket.io-client.js", ["text/javascript", here("node_modules/socket.io-client/dist/socket.io.esm.min.js")]],
]);

createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  if (pathname === "/gateway") {
    response.setHeader("content-type", "application/json");
    return response.end(JSON.stringify(gateway));
  }
  const found = FILES.get(pathname);
  if (!found) return response.writeHead(404).end();
  try {
    const body = await readFile(found[1]);
    response.setHeader("content-type", `${found[0]}; charset=utf-8`).end(body);
  } catch (error) {
    response.writeHead(500).end(error.message);
  }
}).listen(port, () => console.log(`The chat is at http://localhost:${port}/ (gateway: ${gateway})`));
