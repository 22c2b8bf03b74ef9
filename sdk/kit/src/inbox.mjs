import { matches } from "./matches.mjs";

/** What somebody has said, in its order, to be waited for. */
export class Inbox {
  #said = [];
  #waiting = new Set();

  constructor(who) {
    this.who = who;
  }

  add(said) {
    this.#said.push(said);
    for (const look of this.#waiting) look();
  }

  /** Takes the first that matches, which is there or comes in so many milliseconds; what came before it is passed over. */
  take(wanted, within) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const at = this.#said.findIndex((said) => matches(wanted, said));
        if (at < 0) return;
        settle();
        const [found] = this.#said.splice(0, at + 1).slice(-1);
        resolve(found);
      };
      const late = () => {
        settle();
        reject(new Error(`${this.who} should have said ${JSON.stringify(wanted)} within ${within} ms, but said ${JSON.stringify(this.#said)}`));
      };
      const timer = setTimeout(late, within);
      const settle = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  /** What matches of all that was said and not taken. */
  all(wanted) {
    return this.#said.filter((said) => matches(wanted, said));
  }
}
