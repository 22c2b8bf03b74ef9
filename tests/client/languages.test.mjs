import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { cluster, kept } from "./support/documents.mjs";
import { useGateway } from "./support/gateway.mjs";
import { fresh } from "./support/names.mjs";
import { Program } from "./support/process.mjs";
import { now } from "./support/tokens.mjs";
import { until } from "./support/wait.mjs";

/** Longer than the slowest of their runtimes takes to start, and shorter than a heartbeat takes to be missed. */
const PATIENCE = 30_000;

const folder = fileURLToPath(new URL("languages/", import.meta.url));
const LANGUAGES = [
  { language: "Java", packages: `${folder}java/lib`, program: "java", args: ["-cp", `${folder}java/lib/*`, `${folder}java/Client.java`] },
  { language: "Python", packages: `${folder}python/lib`, program: "python3", args: [`${folder}python/client.py`], env: { PYTHONPATH: `${folder}python/lib` } },
];

const jwt = { keySecretRef: { name: "keys", key: "jwt" }, leeway: "0s" };
const gateway = await useGateway([cluster({ auth: { required: true, jwt, refreshGrace: "0s" } }), kept]);

/** A stock client of another language, and the lines that it has said so far. */
class Stranger {
  constructor({ program, args, env }, transport, user, claims = {}) {
    const tokens = [gateway.token(user, claims), gateway.token(user)];
    this.program = new Program(program, [...args, gateway.url, transport, ...tokens], env);
    gateway.whenStopped(() => this.program.stop());
  }

  get lines() {
    return this.program.output.split("\n").filter((line) => /^(dis)?connect/.test(line));
  }

  /** Resolves once it has said `count` lines, or came too late with its token. */
  async said(count, patience = PATIENCE) {
    const what = () => `${count} lines of:\n${this.program.output}`;
    await until(what, () => this.lines.length >= count || this.late || !this.program.running, patience);
    return this.lines;
  }

  /** Whether its token had run out before it asked to connect for the first time. */
  get late() {
    return this.lines[0]?.startsWith("connect_error") && this.program.output.includes("token_expired");
  }
}

/** A client whose token runs out while it is connected, and what it said: a machine may be too busy for the first try. */
async function withShortToken(kind, transport) {
  for (const seconds of [12, 36]) {
    const client = new Stranger(kind, transport, fresh("user"), { exp: now() + seconds });
    const lines = await client.said(3, PATIENCE + seconds * 1000);
    if (!client.late) return { client, lines };
    await client.program.stop();
  }
  throw new Error(`the client of ${kind.language} takes longer to start than its token lasts`);
}

for (const kind of LANGUAGES) {
  const skip = !existsSync(kind.packages) && "its packages are missing; tests/client/languages/prepare installs them";
  describe(`the stock client of ${kind.language}`, { skip, concurrency: true }, () => {
    for (const transport of ["websocket", "polling"]) {
      test(`comes back with a new token when its own has run out (${transport})`, async () => {
        const { client, lines: [first, end, second] } = await withShortToken(kind, transport);
        assert.equal(first, "connect", client.program.output);
        assert.match(end ?? "", /^disconnect transport (close|error)$/);
        assert.equal(second, "connect");
        await client.program.stop();
      });

      test(`stays away when a backend has disconnected it (${transport})`, async () => {
        const user = fresh("user");
        const client = new Stranger(kind, transport, user);
        assert.deepEqual(await client.said(1), ["connect"], client.program.output);
        const answer = await gateway.api("DELETE", `/v1/users/${user}/sessions`);
        assert.ok(answer.status < 300, JSON.stringify(answer));
        await until(() => `the end of:\n${client.program.output}`, () => !client.program.running);
        assert.deepEqual(client.lines.map((line) => line.split(" ")[0]), ["connect", "disconnect"]);
        assert.match(client.lines[1], /server disconnect$/);
      });
    }
  });
}
