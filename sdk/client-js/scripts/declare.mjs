// The types of all entries, for `import` and for `require`.
import { spawnSync } from "node:child_process";
import { cpSync, writeFileSync } from "node:fs";

export function declare() {
  const { status } = spawnSync("npx", ["tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
  if (status !== 0) throw new Error("the types do not compile; run: npm run lint");
  // The same files, which the compiler takes for those of CommonJS by the package around them.
  cpSync("dist/types", "dist/types-cjs", { recursive: true });
  writeFileSync("dist/types-cjs/package.json", '{ "type": "commonjs" }\n');
}
