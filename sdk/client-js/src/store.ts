/**
 * Places where an outbox is kept over a reload.
 *
 * @packageDocumentation
 */
import type { Item } from "./core/outbox.js";
import { newId } from "./id.js";
import type { OutboxStore } from "./sender.js";

export { type Storage, storageStore } from "./storage-store.js";
export type { Item, OutboxStore };

/** An item as it is in the database: whose it is, and its place. */
interface Kept {
  readonly id: string;
  readonly owner: string;
  readonly place: number;
  readonly item: Item;
}

const ITEMS = "items";

/**
 * Keeps the outbox in IndexedDB. Each page has a part of its own, and takes over those of pages that are gone: pages
 * hold a lock each (Web Locks) for as long as they live. Give users of one browser names of their own.
 */
export function indexedDbStore(name = "sluice-outbox"): OutboxStore {
  const owner = newId();
  const database = open(name);
  let places = Date.now();
  const known = new Map<string, number>();

  const adopt = async (from: string | undefined, found: (items: readonly Item[]) => void) => {
    const items: Kept[] = [];
    await change(await database, (store) => {
      store.openCursor().onsuccess = ({ target }) => {
        const cursor = (target as IDBRequest<IDBCursorWithValue | null>).result;
        if (!cursor) return;
        const kept = cursor.value as Kept;
        if (kept.owner !== owner && (from === undefined || kept.owner === from)) {
          items.push(kept);
          cursor.update({ ...kept, owner });
        }
        cursor.continue();
      };
    });
    items.sort((a, b) => a.place - b.place);
    for (const { id, place } of items) known.set(id, place);
    if (items.length) found(items.map(({ item }) => item));
  };

  return {
    async open(found) {
      const { locks } = globalThis.navigator ?? {};
      if (!locks) return adopt(undefined, found);
      const lock = (of: string) => `${name}:${of}`;
      // Held until the page is gone.
      await new Promise<void>((held) => {
        void locks.request(lock(owner), () => {
          held();
          return new Promise(() => {});
        });
      });
      const owners = await ownersIn(await database);
      const others = [...owners].filter((other) => other !== owner);
      for (const other of others) {
        await locks.request(lock(other), { ifAvailable: true }, (free) => (free ? adopt(other, found) : undefined));
      }
      // A page that lives now, such as the one that this one replaces, may leave something behind.
      for (const other of others) locks.request(lock(other), () => adopt(other, found)).catch(() => {});
    },
    async put(item) {
      const place = known.get(item.id) ?? (places += 1);
      known.set(item.id, place);
      await change(await database, (store) => store.put({ id: item.id, owner, place, item } satisfies Kept));
    },
    async remove(id) {
      known.delete(id);
      await change(await database, (store) => store.delete(id));
    },
  };
}

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(ITEMS, { keyPath: "id" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Changes the items in one step, which is kept when this resolves. */
function change(database: IDBDatabase, run: (store: IDBObjectStore) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(ITEMS, "readwrite");
    transaction.oncomplete = () => resolve();
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
    run(transaction.objectStore(ITEMS));
  });
}

function ownersIn(database: IDBDatabase): Promise<Set<string>> {
  return new Promise((resolve, reject) => {
    const request = database.transaction(ITEMS).objectStore(ITEMS).getAll() as IDBRequest<Kept[]>;
    request.onsuccess = () => resolve(new Set(request.result.map(({ owner }) => owner)));
    request.onerror = () => reject(request.error);
  });
}
