// Serves the chat page, the Socket.IO client and a login that believes every name.
//
//   node serve.mjs [CONFIG]
//
// CONFIG is the file the gateway runs with; tokens are signed with its development key.
// PORT is the port to listen on (8080), GATEWAY_URL where browsers find the gateway
// (http://localhost:3000).
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const config = process.argv[2] ?? here("../chat.yaml");
const port = Number(process.env.PORT ?? 8080);
const gateway = process.env.GATEWAY_URL ?? "http://localhost:3000";
const key = developmentKey(config);
const TOKEN_LIFE = 3600;

const FILES = new Map([
  ["/", here("public/index.html")],
  ...["chat.css", "chat.js", "connection.js", "conversations.js", "view.js", "icon.svg"]
    .map((name) => [`/${name}`, here(`public/${name}`)]),
  ["/socket.io-client.js", here("node_modules/socket.io-client/dist/socket.io.esm.min.js")],
]);
const TYPES = { ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml" };

createServer(async (request, response) => {
  const path = new URL(request.url, "http://localhost").pathname;
  try {
    if (path === "/login" && request.method === "POST") return await login(request, response);
    await sendFile(response, FILES.get(path));
  } catch (error) {
    answer(response, 500, { error: error.message });
  }
}).listen(port, () => console.log(`The chat is at http://localhost:${port}/ (gateway: ${gateway})`));

/** Reads the key out of the Secret in the configuration file. */
function developmentKey(file) {
  const found = /^\s+token-key:\s*"?([^"\s]+)"?\s*$/m.exec(readFileSync(file, "utf8"));
  if (found) return found[1];
  console.error(`${file} has no Secret with a token-key: add one, as in examples/chat.yaml.`);
  process.exit(1);
}

async function login(request, response) {
  let body = "";
  for await (const chunk of request) {
    body += chunk;
    if (body.length > 1000) return answer(response, 413, { error: "A name has up to 40 characters." });
  }
  const name = nameIn(body);
  if (!name) return answer(response, 400, { error: "Choose a name of 1 to 40 characters." });
  const issued = Math.floor(Date.now() / 1000);
  const claims = { sub: name, roles: rolesOf(name), iat: issued, exp: issued + TOKEN_LIFE };
  answer(response, 200, { user: name, token: sign(claims), expires: claims.exp, gateway });
}

function nameIn(body) {
  try {
    const name = JSON.parse(body).name.trim();
    return name.length <= 40 ? name : "";
  } catch {
    return "";
  }
}

/** `admin` may announce; whoever is called `agent` or `agent-…` may enter every support room. */
function rolesOf(name) {
  if (name === "admin") return ["admin"];
  return /^agent(-|$)/.test(name) ? ["agent"] : [];
}

/** An HS256 token (RFC 7515). */
function sign(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${body}.${createHmac("sha256", key).update(body).digest("base64url")}`;
}

async function sendFile(response, file) {
  if (!file) return answer(response, 404, { error: "There is no such page." });
  const content = await readFile(file);
  response.writeHead(200, {
    "content-type": `${TYPES[extname(file)]}; charset=utf-8`,
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
  });
  response.end(content);
}

function answer(response, status, body) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(body));
}
