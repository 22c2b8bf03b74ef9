import type { Session } from "../core/attached.js";

/** A client that asks for a namespace and waits for the middlewares of its connection: it can only give up. */
export class Asking implements Session {
  over = false;

  gone(): void {
    this.over = true;
  }

  detach(): void {
    this.over = true;
  }

  fence(): void {}
  event(): void {}
  roomsChanged(): void {}
  dataChanged(): void {}
  upgraded(): void {}
  malformed(): void {}
}
