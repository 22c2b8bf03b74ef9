import type { Item } from "./core/outbox.js";
import type { OutboxStore } from "./sender.js";

/** A place for texts by their names: React Native's `AsyncStorage`, `localStorage`, or the application's own. */
export interface Storage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
}

/** Keeps the outbox as one text under a key. One client at a time may use it. */
export function storageStore(storage: Storage, key = "sluice-outbox"): OutboxStore {
  const items = new Map<string, Item>();
  let writing: Promise<unknown> = Promise.resolve();
  let waits = false;

  /** Writes all items; calls that come while another is waiting are one. */
  const write = () => {
    if (waits) return writing;
    waits = true;
    writing = writing
      .catch(() => {})
      .then(() => {
        waits = false;
        return storage.setItem(key, JSON.stringify([...items.values()]));
      });
    return writing;
  };

  return {
    async open(found) {
      const text = await storage.getItem(key);
      const kept = text ? (JSON.parse(text) as Item[]) : [];
      for (const item of kept) items.set(item.id, item);
      found(kept.map((item) => ({ ...item })));
    },
    async put(item) {
      items.set(item.id, { ...item });
      await write();
    },
    async remove(id) {
      items.delete(id);
      await write();
    },
  };
}
