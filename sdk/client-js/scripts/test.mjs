#!/usr/bin/env node
// test.mjs [FILE...]: turns source and tests into JavaScript, and runs the tests, or those whose names are given.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { glob } from "./files.mjs";
import { build } from "esbuild";

process.chdir(new URL("..", import.meta.url).pathname);
rmSync(".build", { recursive: true, force: true });
const files = [...glob("src"), ...glob("test")].filter((path) => /\.tsx?$/.test(path));
await build({
  entryPoints: files,
  outdir: ".build",
  outbase: ".",
  format: "esm",
  target: "es2022",
  jsx: "automatic",
  sourcemap: "inline",
  logLevel: "warning",
});
const chosen = process.argv.slice(2);
const tests = glob(".build/test").filter(
  (path) => path.endsWith(".test.js") && (!chosen.length || chosen.some((name) => path.includes(name))),
);
const { status } = spawnSync(
  process.execPath,
  ["--test", "--test-force-exit", "--test-reporter=spec", "--enable-source-maps", ...tests],
  { stdio: "inherit" },
);
process.exitCode = status ?? 1;
