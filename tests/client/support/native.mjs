import WebSocket from "ws";
import { until, within } from "./wait.mjs";

/** A client of the plain protocol (`/ws`, subprotocol `sluice.v1.json`). */
export class Native {
  pushes = [];
  /** Answers to nothing that was asked: those to frames whose id could not be read. */
  strays = [];
  #answers = new Map();
  #requests = 0;

  /** Opens the socket; the protocol's own `connect` is still to be sent. */
  static async open(gateway, options = {}) {
    const native = new Native();
    native.socket = new WebSocket(gateway.wsUrl, ["sluice.v1.json"], options);
    gateway.whenStopped(() => native.socket.terminate());
    native.closed = new Promise((resolve) => {
      native.socket.once("close", (code, reason) => resolve({ code, reason: String(reason) }));
    });
    native.socket.on("message", (data) => native.#receive(JSON.parse(data)));
    await within("the WebSocket to open", new Promise((resolve, reject) => {
      native.socket.once("open", resolve);
      native.socket.once("error", reject);
    }));
    return native;
  }

  /** A connection of `user` that is signed in; `connect` adds to its first frame. */
  static async enter(gateway, user, connect = {}) {
    const native = await Native.open(gateway);
    native.hello = await native.must({ op: "connect", token: gateway.token(user), ...connect });
    return native;
  }

  /** Sends an operation and resolves to its answer, whatever it says. */
  ask(operation) {
    this.#requests += 1;
    const id = this.#requests;
    const answer = new Promise((resolve) => this.#answers.set(id, resolve));
    this.socket.send(JSON.stringify({ id, ...operation }));
    return within(`the answer to "${operation.op}"`, answer);
  }

  /** As `ask`, but the answer must be `ok`. */
  async must(operation) {
    const answer = await this.ask(operation);
    if (answer.ok !== true) throw new Error(`refused: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** The pushes of one event so far. */
  received(event) {
    return this.pushes.filter((push) => push.event === event);
  }

  /** Resolves to the pushes of `event` once there are `count`. */
  async count(event, count) {
    await until(`${count} pushes of "${event}"`, () => this.received(event).length >= count);
    return this.received(event);
  }

  #receive(frame) {
    if (frame.event !== undefined) return this.pushes.push(frame);
    const answer = this.#answers.get(frame.id);
    if (!answer) return this.strays.push(frame);
    this.#answers.delete(frame.id);
    return answer(frame);
  }
}
