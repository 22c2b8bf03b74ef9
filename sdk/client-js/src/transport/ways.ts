import type { Clock } from "../clock.js";
import type { Link, Listener, Transport } from "./transport.js";

/** After so many attempts that never came about, the other way is tried. */
const FAILURES = 2;

/** For so long the other way is kept to, before the first is tried again at the next reconnect. */
const KEPT = 5 * 60_000;

/** Which way to a gateway is taken: the first, and where it fails twice, the other; and back in time. */
export class Ways {
  #failures = 0;
  /** Since when the other way is taken. */
  #other: number | undefined;

  constructor(
    private readonly url: string,
    private readonly first: Transport,
    private readonly other: Transport | undefined,
    private readonly clock: Clock,
  ) {}

  /** The name of the way that is taken now. */
  get name(): string {
    return this.#transport.name;
  }

  get #transport(): Transport {
    return this.#other !== undefined && this.other ? this.other : this.first;
  }

  open(listener: Listener): Link {
    if (this.#other !== undefined && this.clock.now() - this.#other >= KEPT) this.#other = undefined;
    return this.#transport.open(this.url, listener);
  }

  /** The gateway has let the client in. */
  worked(): void {
    this.#failures = 0;
  }

  /** The way ended before the gateway had let the client in. */
  failed(): void {
    this.#failures += 1;
    if (!this.other || this.#failures % FAILURES !== 0) return;
    this.#other = this.#other === undefined ? this.clock.now() : undefined;
  }
}
