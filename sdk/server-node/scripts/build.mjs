// Bundles the library for ESM and for CommonJS (`build.mjs`), finishes its types (`build.mjs types`), or bundles the tests
// (`build.mjs tests`).
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);

const common = { bundle: true, platform: "node", target: "node20", logLevel: "warning", sourcemap: true };

// `import code from "./worker.js?text"` is the text of that module with all that it imports, so that a worker thread can
// be started from it wherever the library itself was bundled to.
const workerText = {
  name: "worker-text",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?text$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace(/\.js\?text$/, ".ts")),
      namespace: "worker-text",
    }));
    onLoad({ filter: /.*/, namespace: "worker-text" }, async ({ path }) => {
      const made = await build({
        ...common,
        entryPoints: [path],
        format: "cjs",
        write: false,
        minify: true,
        sourcemap: false,
      });
      return { contents: made.outputFiles[0].text, loader: "text", watchFiles: [path] };
    });
  },
};

function* testFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* testFiles(path);
    else if (entry.name.endsWith(".test.ts")) yield path;
  }
}

async function library() {
  rmSync("dist", { recursive: true, force: true });
  const from = { ...common, entryPoints: ["src/index.ts"], packages: "external", plugins: [workerText] };
  await Promise.all([
    build({ ...from, format: "esm", outfile: "dist/index.js" }),
    build({ ...from, format: "cjs", outfile: "dist/index.cjs" }),
  ]);
}

// The types are the same for CommonJS; only the folder says that they are of such a module.
function types() {
  cpSync("dist/types", "dist/types-cjs", { recursive: true });
  mkdirSync("dist/types-cjs", { recursive: true });
  writeFileSync("dist/types-cjs/package.json", '{ "type": "commonjs" }\n');
}

async function tests() {
  rmSync("build", { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: [...testFiles("test")],
    outdir: "build/test",
    outbase: "test",
    format: "esm",
    splitting: true,
    chunkNames: "../chunks/[name]-[hash]",
    packages: "external",
    plugins: [workerText],
    sourcemap: "inline",
  });
}

const made = { undefined: library, types, tests }[process.argv[2]];
await made();
