import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
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
