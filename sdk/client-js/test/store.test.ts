import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileStore } from "../src/file-store.js";
import { indexedDbStore, type Item, type OutboxStore } from "../src/store.js";

const item = (id: string): Item => ({ id, room: "r", event: "e", data: { id }, echo: true, bytes: 1, at: 1 });

/** Locks as a browser has them: each held until `gone` lets go of those of a page. */
class Locks {
  readonly #held = new Map<string, Promise<unknown>>();
  readonly #free = new Map<string, () => void>();

  async request(name: string, ...rest: any[]): Promise<unknown> {
    const run = rest.at(-1);
    const { ifAvailable } = rest.length > 1 ? rest[0] : {};
    if (ifAvailable && this.#held.has(name)) return run(null);
    while (this.#held.has(name)) await this.#held.get(name);
    const gone = new Promise<void>((free) => this.#free.set(name, free));
    const done = Promise.race([run({ name }), gone]).finally(() => this.#held.delete(name));
    this.#held.set(name, done);
    return done;
  }

  /** The pages of this store are gone. */
  gone(prefix: string): void {
    for (const [name, free] of this.#free) if (name.startsWith(prefix)) free();
  }
}

const locks = new Locks();
Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });

/** Opens a store, and has a list of all that it finds, now and later. */
async function found(store: OutboxStore): Promise<string[]> {
  const ids: string[] = [];
  await store.open((items) => ids.push(...items.map(({ id }) => id)));
  return ids;
}

const until = async (condition: () => boolean) => {
  for (let turn = 0; turn < 1_000 && !condition(); turn += 1) await new Promise((done) => setTimeout(done, 1));
  assert.ok(condition());
};

test("a page finds in its database what a page that is gone has left, in its order", async () => {
  const before = indexedDbStore("one");
  await found(before);
  for (const id of ["b", "a", "c"]) await before.put(item(id));
  await before.put({ ...item("a"), sent: 5 });
  await before.remove("c");
  locks.gone("one");
  await new Promise((done) => setTimeout(done, 5));
  const after = indexedDbStore("one");
  assert.deepEqual(await found(after), ["b", "a"]);
});

test("a page leaves alone what a living one has, and gets it when that is gone", async () => {
  const first = indexedDbStore("two");
  await found(first);
  await first.put(item("a"));
  const second = await found(indexedDbStore("two"));
  assert.deepEqual(second, []);
  locks.gone("two");
  await until(() => second.length === 1);
  assert.deepEqual(second, ["a"]);
});

test("a file keeps what waits", async () => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-"));
  const path = join(folder, "outbox.json");
  const before = fileStore(path);
  assert.deepEqual(await found(before), []);
  await Promise.all([before.put(item("a")), before.put(item("b")), before.remove("a")]);
  assert.deepEqual(await found(fileStore(path)), ["b"]);
  await rm(folder, { recursive: true });
});
