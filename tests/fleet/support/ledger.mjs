/**
 * What one client has seen, written down by the client itself: each message with its position, and
 * each loss and return of its connection.
 */
export class Ledger {
  /** `[room, publisher, n, offset, at]`, in the order of arrival; `at` as `Date.now()`. */
  messages = [];
  /**
   * `{at, type}` with `lost` (`reason`), `back` (`recovered`), `gap` (`room`, what it missed there
   * is no longer kept), `refused` (`code`) and `gone` (it may not come back by itself).
   */
  events = [];
  away = true;
  #positions = new Map();

  constructor(name, kind, rooms) {
    Object.assign(this, { name, kind, rooms });
  }

  /** Forgets what was seen so far, but not where the client stands in its rooms. */
  begin() {
    this.messages = [];
    this.events = [];
  }

  /** What a `join` of `room` says beside its name, so that it goes on where this client stands. */
  position(room) {
    return this.#positions.get(room) ?? {};
  }

  message(data, { room, offset }) {
    this.messages.push([room, data.by, data.n, offset, Date.now()]);
    this.#positions.set(room, { ...this.#positions.get(room), after: offset });
  }

  /** Takes note of the answer to a `join`; a message that came right behind it may be noted already. */
  joined(room, { epoch, offset, recovered }) {
    const { after = 0, epoch: before = epoch } = this.position(room);
    if (recovered === false) this.#note("gap", { room });
    this.#positions.set(room, { after: before === epoch ? Math.max(after, offset) : offset, epoch });
  }

  lost(reason) {
    this.away = true;
    this.#note("lost", { reason });
  }

  /** The client is in all its rooms again. */
  back(recovered) {
    this.away = false;
    this.#note("back", { recovered });
  }

  refused(code) {
    this.#note("refused", { code });
  }

  gone(reason) {
    this.#note("gone", { reason });
  }

  /** What is sent to who judges. */
  record() {
    const { name, kind, rooms, messages, events, away } = this;
    return { name, kind, rooms, messages, events, away };
  }

  #note(type, about) {
    this.events.push({ at: Date.now(), type, ...about });
  }
}
