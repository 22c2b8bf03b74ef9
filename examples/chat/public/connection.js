import { io } from "/socket.io-client.js";

/** Signs in at the page's own server; resolves to `{user, token, expires, gateway}`. */
export async function signIn(name) {
  const response = await fetch("/login", { method: "POST", body: JSON.stringify({ name }) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** An error that the gateway answered a request with: its stable code and its sentence. */
export class Refused extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

/**
 * The connection to the gateway: the stock client with its default settings.
 *
 * `on` has what the page does about each event: `state(name, text)`, `ready(recovered)`,
 * `lost()`, `message(data, meta)`, `direct(data, meta)`, `presence(change)`.
 */
export class Connection {
  constructor(login, on) {
    this.on = on;
    this.login = login;
    this.socket = io(login.gateway, { auth: (use) => this.#freshToken().then((token) => use({ token })) });
    this.#follow();
  }

  /** Sends a request; resolves to its acknowledgement, or rejects with `Refused`. */
  request(event, ...args) {
    return new Promise((resolve, reject) => {
      this.socket.emit(event, ...args, (answer) => {
        if (answer.ok) resolve(answer);
        else reject(new Refused(answer.error));
      });
    });
  }

  /** Closes the transport as a lost network does; the client reconnects by itself. */
  drop() {
    this.socket.io.engine?.close();
  }

  /** Ends the session for good, so that the others see at once that this user left. */
  leave() {
    this.socket.disconnect();
  }

  #follow() {
    const { socket, on } = this;
    socket.on("connect", () => {
      this.#refreshInTime();
      on.ready(socket.recovered);
    });
    socket.on("disconnect", (reason) => {
      on.lost();
      if (socket.active) on.state("reconnecting", "Connection lost, reconnecting…");
      else on.state("closed", `Disconnected (${reason}). Reload the page to come back.`);
    });
    socket.on("connect_error", (error) => {
      if (socket.active) on.state("reconnecting", "The gateway cannot be reached, trying again…");
      else on.state("closed", `Refused: ${error.message} (${error.data?.code ?? "no code"})`);
    });
    socket.io.on("reconnect_attempt", (attempt) => on.state("reconnecting", `Reconnecting… attempt ${attempt}`));
    socket.on("drain", ({ within }) => on.state("moving", `The gateway moves its connections within ${seconds(within)}`));
    socket.on("throttled", () => on.state("moving", "Slow down: you send more than the gateway takes"));
    socket.on("revoked", () => on.state("closed", "Your token was revoked"));
    socket.on("message", on.message);
    socket.on("direct-message", on.direct);
    socket.on("presence", on.presence);
  }

  /** The token at hand while it is good for another minute, or a new one. */
  async #freshToken() {
    if (this.login.expires * 1000 < Date.now() + 60_000) this.login = await signIn(this.login.user);
    return this.login.token;
  }

  /** Hands the gateway a new token before the old one expires, without a reconnect. */
  #refreshInTime() {
    clearTimeout(this.refresh);
    const left = this.login.expires * 1000 - Date.now();
    this.refresh = setTimeout(async () => {
      await this.request("refresh", await this.#freshToken());
      this.#refreshInTime();
    }, Math.max(1000, left - 45_000));
  }
}

function seconds(milliseconds) {
  return `${Math.ceil(milliseconds / 1000)} s`;
}
