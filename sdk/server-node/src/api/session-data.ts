import type { DataKeeper, Keeps } from "../core/data.js";

/** The most bytes of a session's data that gateways keep. */
const DATA_BYTES = 16 * 1024;

/** A session's data: a plain object here, kept as JSON by its gateway for the instances that the session may move to. */
export class SessionData implements Keeps {
  private said: string;
  private complained = false;

  constructor(
    private object: Record<string, any>,
    private rev: number,
    private readonly keeper: DataKeeper,
    private readonly say: (rev: number, json: string) => void,
  ) {
    this.said = JSON.stringify(object);
  }

  /** The object. Whoever gets it may change it, which is found out by itself. */
  get value(): Record<string, any> {
    this.keeper.touch(this);
    return this.object;
  }

  set value(object: Record<string, any>) {
    this.keeper.touch(this);
    this.object = object;
  }

  /** What the object is now; from here on it counts as said. */
  snapshot(): string {
    const json = this.encoded();
    this.said = json ?? this.said;
    return this.said;
  }

  flushData(): void {
    const json = this.encoded();
    if (json === undefined || json === this.said) return;
    this.said = json;
    this.say(this.rev, json);
    this.rev++;
  }

  /** Another instance has changed it. The object stays the same, since a program may hold on to it. */
  changed(data: Record<string, any>, rev: number): void {
    this.rev = rev;
    this.said = JSON.stringify(data);
    for (const key of Object.keys(this.object)) delete this.object[key];
    Object.assign(this.object, data);
  }

  forget(): void {
    this.keeper.forget(this);
  }

  private encoded(): string | undefined {
    try {
      const json = JSON.stringify(this.object) ?? "{}";
      const bytes = Buffer.byteLength(json);
      if (bytes <= DATA_BYTES) return json;
      this.complain(`has ${bytes} bytes of JSON, and ${DATA_BYTES} are kept. Keep what is large in a database.`);
    } catch (error) {
      this.complain(`is no JSON (${(error as Error).message}). Keep what is none in a map by socket.id.`);
    }
    return undefined;
  }

  private complain(what: string): void {
    if (this.complained) return;
    this.complained = true;
    process.emitWarning(`The data of a socket stays in this process, since it ${what}`);
  }
}
