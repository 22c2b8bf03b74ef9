import { readdirSync } from "node:fs";
import { join } from "node:path";

/** All files below a folder. */
export function glob(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? glob(path) : [path];
  });
}
