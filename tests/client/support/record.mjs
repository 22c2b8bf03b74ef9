import { until } from "./wait.mjs";

/** Keeps every `(data, meta)` of one event, in the order of arrival. */
export class Record {
  messages = [];

  constructor(socket, event) {
    this.event = event;
    socket.on(event, (data, meta, ...rest) => this.messages.push({ data, meta, rest }));
  }

  get data() {
    return this.messages.map((message) => message.data);
  }

  /** Resolves to the messages once there are `count` of them. */
  async count(count) {
    await until(
      () => `${count} of "${this.event}" (got ${this.messages.length})`,
      () => this.messages.length >= count,
    );
    return this.messages;
  }
}

/** Resolves to the next event of that name that `matches`. */
export function nextThat(socket, event, matches) {
  return until(`a matching "${event}"`, watch(socket, event, matches));
}

function watch(socket, event, matches) {
  let found;
  const listen = (...args) => {
    if (!matches(...args)) return;
    found = args;
    socket.off(event, listen);
  };
  socket.on(event, listen);
  return () => found;
}
