import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = process.cwd();

/** Runs a program that imports the library by its name, as a user's does. */
function run(type: string, code: string): string {
  return execFileSync(process.execPath, [`--input-type=${type}`, "--eval", code], {
    cwd: root,
    encoding: "utf8",
  }).trim();
}

test("the package is found by its name, as a module and by require", () => {
  const tell =
    "console.log([Server, Socket, Namespace, BroadcastOperator, RemoteSocket].map((it) => typeof it).join())";
  const names = "Server, Socket, Namespace, BroadcastOperator, RemoteSocket";
  const expected = "function,function,function,function,function";
  assert.equal(run("module", `import { ${names} } from "@sluice/server"; ${tell}`), expected);
  assert.equal(run("commonjs", `const { ${names} } = require("@sluice/server"); ${tell}`), expected);
});

test("the package has types, for modules and for CommonJS", () => {
  const folder = join(root, "build", "consumer");
  mkdirSync(folder, { recursive: true });
  const program = `
    import { Server, type Socket } from "@sluice/server";
    const io = new Server(3000, { cluster: "chat", application: "shop" });
    io.on("connection", (socket: Socket) => { socket.emit("hello", socket.user); });
    // @ts-expect-error: there is no such method.
    io.nothing();
  `;
  for (const file of ["consumer.mts", "consumer.cts"]) writeFileSync(join(folder, file), program);
  const how = ["--noEmit", "--strict", "--module", "node16", "--target", "es2022", "--types", "node", "--ignoreConfig"];
  const files = ["build/consumer/consumer.mts", "build/consumer/consumer.cts"];
  execFileSync(join(root, "node_modules", ".bin", "tsc"), [...how, ...files], { cwd: root, stdio: "inherit" });
});
