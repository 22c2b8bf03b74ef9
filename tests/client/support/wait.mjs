import { setTimeout as pause } from "node:timers/promises";

/** How long a test waits for something that must happen before it calls it missing. */
export const PATIENCE = 15_000;

/** Rejects with a sentence that names `what`, unless `promise` settles first. */
export function within(what, promise, patience = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${patience} ms for ${what}`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Asks `condition` again and again until it is truthy, and resolves to its value. */
export async function until(what, condition, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${patience} ms for ${typeof what === "function" ? what() : what}`);
    await pause(5);
  }
}

/** Resolves to the arguments of the next `event` of an emitter. */
export function next(emitter, event) {
  return within(
    `the event "${event}"`,
    new Promise((resolve) => emitter.once(event, (...args) => resolve(args))),
  );
}
