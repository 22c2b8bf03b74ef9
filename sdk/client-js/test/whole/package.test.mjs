import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const package_ = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sluice-package-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("each entry can be imported and required", async () => {
  const { exports } = JSON.parse(readFileSync(join(package_, "package.json"), "utf8"));
  const require = createRequire(import.meta.url);
  for (const entry of Object.keys(exports).filter((name) => !name.endsWith(".json"))) {
    const name = entry.replace(".", "@sluice/client");
    const names = (module) =>
      Object.keys(module).filter((key) => !["default", "module.exports", "__esModule"].includes(key));
    assert.deepEqual(names(require(name)).sort(), names(await import(name)).sort());
  }
});

test("the command writes types by which a program with a wrong event does not compile", () => {
  const rooms = fileURLToPath(new URL("../../../../examples/chat.yaml", import.meta.url));
  execFileSync(process.execPath, [
    join(package_, "dist/types.cjs"),
    "types",
    rooms,
    "--output",
    join(folder, "rooms.ts"),
  ]);
  symlinkSync(join(package_, "node_modules"), join(folder, "node_modules"));
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        noEmit: true,
        module: "nodenext",
        target: "es2022",
        skipLibCheck: true,
        types: [],
        paths: { "@sluice/client": [join(package_, "dist/types/index.d.ts")] },
      },
    }),
  );
  const compile = (line) => {
    writeFileSync(
      join(folder, "program.ts"),
      `import { Client } from "@sluice/client";\nimport type { Rooms } from "./rooms.js";\nconst client = new Client<Rooms>("ws://x");\n${line}\n`,
    );
    try {
      execFileSync("npx", ["tsc", "-p", folder], { cwd: package_, encoding: "utf8", stdio: "pipe" });
      return "";
    } catch ({ stdout }) {
      return stdout;
    }
  };
  assert.equal(
    compile(
      'client.room("lobby").on("message", ({ text }) => text.trim()); client.room("support-ada").publish("any", 1);',
    ),
    "",
  );
  assert.match(compile('client.room("lobby").publish("massage", { text: "hi" });'), /massage/);
});
