#!/usr/bin/env node
// build.mjs [--without-types] [--update-api]: builds what users install into dist/: each entry for `import` and for
// `require`, their types, and the command; and compares the public interface with its report.
import { rmSync } from "node:fs";
import { report } from "./api.mjs";
import { bundle } from "./bundle.mjs";
import { declare } from "./declare.mjs";

process.chdir(new URL("..", import.meta.url).pathname);
rmSync("dist", { recursive: true, force: true });
await bundle();
if (!process.argv.includes("--without-types")) {
  declare();
  report(process.argv.includes("--update-api"));
}
