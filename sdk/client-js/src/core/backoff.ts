/** Pauses between attempts: full jitter, of which the upper bound doubles with every attempt that fails. */
export class Backoff {
  #attempts = 0;

  constructor(
    private readonly first = 500,
    private readonly longest = 20_000,
  ) {}

  /** The next pause in milliseconds; `random` lies in 0..1, and `least` is never fallen short of. */
  next(random: number, least = 0): number {
    const most = Math.min(this.first * 2 ** this.#attempts, this.longest);
    this.#attempts += 1;
    return least + random * most;
  }

  /** How many attempts have failed since {@link reset}. */
  get attempts(): number {
    return this.#attempts;
  }

  reset(): void {
    this.#attempts = 0;
  }
}
