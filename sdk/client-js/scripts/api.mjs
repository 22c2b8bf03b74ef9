// The public interface of each entry, as a report (api/NAME.api.md) that a change of the interface changes with it.
import { resolve } from "node:path";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { ENTRIES } from "./bundle.mjs";

/** Compares the reports with the types in dist/types, and fails where they differ; or writes them anew. */
export function report(update) {
  for (const entry of ENTRIES) reportOf(entry, update);
}

const silent = { logLevel: "none" };

function reportOf(entry, update) {
  const config = ExtractorConfig.prepare({
    configObjectFullPath: resolve("api-extractor.json"),
    packageJsonFullPath: resolve("package.json"),
    configObject: {
      projectFolder: resolve("."),
      mainEntryPointFilePath: resolve(`dist/types/${entry}.d.ts`),
      compiler: { tsconfigFilePath: resolve("tsconfig.build.json") },
      apiReport: {
        enabled: true,
        reportFileName: `${entry}.api.md`,
        reportFolder: resolve("api"),
        reportTempFolder: resolve(".build/api"),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: "error" } },
        extractorMessageReporting: {
          default: { logLevel: "error" },
          "ae-missing-release-tag": silent,
          "ae-unresolved-link": silent,
          "ae-undocumented": silent,
          // What the other entries need of the core is exported there.
          "ae-forgotten-export": entry === "index" ? { logLevel: "error" } : silent,
        },
        tsdocMessageReporting: { default: silent },
      },
    },
  });
  const { succeeded, apiReportChanged } = Extractor.invoke(config, { localBuild: update, messageCallback: quiet });
  if (apiReportChanged && !update) {
    throw new Error(`the interface of ${entry} has changed; look at the change, then run: npm run api`);
  }
  if (!succeeded) throw new Error(`the interface of ${entry} cannot be put together`);
}

/** Warnings and errors are shown, and nothing else. */
function quiet(message) {
  if (!["error", "warning"].includes(message.logLevel)) message.handled = true;
}
