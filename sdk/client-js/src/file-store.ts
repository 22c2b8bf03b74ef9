/**
 * Keeps an outbox in a file: for Node.js, Deno and Bun.
 *
 * @packageDocumentation
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import type { OutboxStore } from "./sender.js";
import { storageStore } from "./storage-store.js";

export type { OutboxStore };

/** Keeps the outbox in a file, which is replaced in one step. One client at a time may use it. */
export function fileStore(path: string): OutboxStore {
  return storageStore({
    async getItem() {
      try {
        return await readFile(path, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw error;
      }
    },
    async setItem(_key, text) {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    },
  });
}
