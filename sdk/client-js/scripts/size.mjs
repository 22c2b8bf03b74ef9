#!/usr/bin/env node
// Fails where the core has grown beyond what a page should load for it.
import { gzipSync } from "node:zlib";
import { minified } from "./bundle.mjs";

/** In bytes, minified and compressed as servers do it. */
const MOST = 9 * 1024;

process.chdir(new URL("..", import.meta.url).pathname);
const size = gzipSync(await minified(), { level: 9 }).length;
console.log(`the core is ${size} bytes of at most ${MOST}`);
if (size > MOST) {
  console.error("Make it smaller, or move what not every page needs into an entry of its own.");
  process.exitCode = 1;
}
