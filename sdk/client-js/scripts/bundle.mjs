// What is built from what: the library's entries, each for `import` and for `require`, and the command.
import { build } from "esbuild";

/** The library's entries; `exports` in package.json names the same. */
export const ENTRIES = ["index", "react", "store", "file-store", "socketio"];

const external = ["react", "react/jsx-runtime", "socket.io-client", "node:*"];
const common = { bundle: true, external, target: "es2022", legalComments: "none", logLevel: "warning" };

export async function bundle() {
  const entryPoints = ENTRIES.map((name) => ({ in: `./src/${name}`, out: name }));
  // Classes that two entries share must be one class, so what is shared is a file of its own.
  await build({ ...common, entryPoints, outdir: "dist", format: "esm", splitting: true, chunkNames: "shared-[hash]" });
  await build({ ...common, entryPoints, outdir: "dist", format: "cjs", outExtension: { ".js": ".cjs" } });
  const command = { in: "./src/types/main.ts", out: "types" };
  await build({
    ...common,
    entryPoints: [command],
    outdir: "dist",
    format: "cjs",
    platform: "node",
    outExtension: { ".js": ".cjs" },
    banner: { js: "#!/usr/bin/env node" },
  });
}

/** The core alone, minified, as a page gets it: without what it loads only when it is asked for. */
export async function minified() {
  const options = {
    entryPoints: ["./src/index.ts"],
    outdir: "out",
    format: "esm",
    splitting: true,
    minify: true,
    write: false,
    metafile: true,
  };
  const { outputFiles, metafile } = await build({ ...common, ...options });
  const needed = new Set(["out/index.js"]);
  for (const name of needed) {
    for (const { path, kind } of metafile.outputs[name].imports) if (kind === "import-statement") needed.add(path);
  }
  return Buffer.concat(
    outputFiles.filter(({ path }) => [...needed].some((name) => path.endsWith(name))).map(({ contents }) => contents),
  );
}
