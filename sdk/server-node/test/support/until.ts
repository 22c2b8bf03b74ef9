/** Waits until a condition holds, and gives what it says; fails with its name where it does not. */
export async function until<Value>(what: string, condition: () => Value | Promise<Value>): Promise<NonNullable<Value>> {
  const end = Date.now() + 10_000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`It never came to this: ${what}`);
    await new Promise((then) => setTimeout(then, 5));
  }
}
