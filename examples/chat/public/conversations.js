/** What is known of one room, or of the direct messages with one user. */
export class Conversation {
  entries = [];
  people = [];
  unread = 0;
  /** Where the room's history was when it was last read, for joining it again. */
  position = undefined;
  #byId = new Map();

  constructor(kind, name) {
    this.kind = kind;
    this.name = name;
    this.key = `${kind}:${name}`;
  }

  /** Adds a message; true when it is new. One that was shown on its way moves to its real place. */
  add(message) {
    const known = this.#byId.get(message.id);
    if (known?.offset !== undefined) return false;
    if (known) this.entries.splice(this.entries.indexOf(known), 1);
    this.#byId.set(message.id, message);
    this.entries.push(message);
    if (this.position && message.offset > this.position.after) this.position.after = message.offset;
    return !known;
  }

  /** Records what became of an own message, unless the room has already brought it back. */
  settle(message, outcome) {
    if (this.#byId.get(message.id) === message) Object.assign(message, outcome);
  }

  /** The own messages whose acknowledgement has not come. */
  get pending() {
    return this.entries.filter((entry) => entry.state === "pending");
  }

  /** Adds a line that is no message: what happened to the connection. */
  note(text) {
    const note = { note: true, text, time: Date.now() };
    this.entries.push(note);
    return note;
  }

  /** Takes a presence change in. */
  change({ joined, left }) {
    const people = this.people.filter((user) => !left.includes(user) && !joined.includes(user));
    this.people = [...people, ...joined].sort();
  }

  /** Forgets the messages: they are to be read again. */
  clear() {
    this.entries = this.pending;
    this.#byId = new Map(this.entries.map((entry) => [entry.id, entry]));
  }
}

/** All conversations of the page, of which one is open. */
export class Conversations {
  #all = new Map();
  open = undefined;

  get(kind, name) {
    return this.#all.get(`${kind}:${name}`);
  }

  ensure(kind, name) {
    const conversation = this.get(kind, name) ?? new Conversation(kind, name);
    this.#all.set(conversation.key, conversation);
    return conversation;
  }

  remove(conversation) {
    this.#all.delete(conversation.key);
  }

  of(kind) {
    return [...this.#all.values()].filter((conversation) => conversation.kind === kind);
  }

  show(conversation) {
    conversation.unread = 0;
    this.open = conversation;
  }
}
