import type { Clock } from "./clock.js";
import { Connection, type Step, type TokenReason } from "./core/connection.js";
import { Probe, TICK } from "./core/probe.js";
import { type Answer, type Frame, type Push, type Request, isAnswer } from "./core/wire.js";
import { SluiceError, UnauthorizedError, passes } from "./errors.js";
import { type Answered, DISCONNECTED, Requests, ask } from "./requests.js";
import { watchPage } from "./signals.js";
import type { Tokens } from "./tokens.js";
import type { Link } from "./transport/transport.js";
import type { Ways } from "./transport/ways.js";

/** So long may a connection take from its first byte until the gateway has let the client in. */
const OPENING = 10_000;

/** The close code after a message that is larger than the gateway takes (RFC 6455, section 7.4.1). */
const TOO_LARGE = 1009;

/** What a session tells. */
export interface SessionListener {
  /** The phase, or the reason for it, has changed. */
  changed(): void;
  connected(): void;
  disconnected(tooLarge: boolean): void;
  push(push: Push): void;
}

/** The client at the gateway: it connects, comes back, and goes on as the session that it was, if the gateway still has it. */
export class Session {
  /** The public id; empty before it connected. */
  id = "";
  user = "";
  readonly connection = new Connection();
  readonly #requests = new Requests();
  /** What the gateway is asked to let in. */
  #token: string | undefined;
  #link: Link | undefined;
  #probe: Probe | undefined;
  #pid: string | undefined;
  #position: string | undefined;
  #stopTimer = () => {};
  #stopTicks = () => {};
  #stopWatching = () => {};

  constructor(
    private readonly ways: Ways,
    private readonly tokens: Tokens,
    private readonly clock: Clock,
    private readonly greeting: { readonly namespace?: string; readonly auth?: unknown },
    private readonly listener: SessionListener,
  ) {}

  start(): void {
    if (this.connection.phase !== "off") return;
    this.#stopWatching = watchPage({ back: () => this.wake(), gone: () => this.#doubt() });
    this.#do(this.connection.start());
  }

  stop(reason: string): void {
    this.#do(this.connection.stop(reason));
  }

  /** There may be a network again, or not any more: finds out at once. */
  wake(): void {
    this.#doubt();
    this.#do(this.connection.hurry(this.clock.random()));
  }

  /** Sends a request; `answered` hears the answer, at once where there is no connection. Returns what gives it up. */
  call(request: Request, answered: Answered): () => void {
    if (this.#link && this.connection.phase === "connected") return this.#send(this.#link, request, answered);
    answered(DISCONNECTED);
    return () => {};
  }

  #send(link: Link, request: Request, answered: Answered): () => void {
    const giveUp = this.#requests.send(link, request, (answer) => {
      this.#count();
      answered(answer);
    });
    this.#count();
    return () => {
      giveUp();
      this.#count();
    };
  }

  #count(): void {
    this.#probe?.waits(this.#requests.count, this.clock.now());
  }

  #do(step: Step | undefined): void {
    if (!step) return;
    this.#stopTimer();
    if (step.do === "ask-token") void this.#askToken(step.reason);
    if (step.do === "open") this.#open();
    if (step.do === "wait") this.#stopTimer = this.clock.after(step.ms, () => this.#do(this.connection.waited()));
    if (step.do === "close") this.#close();
    this.listener.changed();
  }

  #close(): void {
    const was = this.#link !== undefined;
    this.#link?.close("done");
    this.#stopWatching();
    this.tokens.forget();
    this.#pid = this.#position = undefined;
    if (was) this.#over();
  }

  async #askToken(reason: TokenReason): Promise<void> {
    if (reason === "refused" && !this.tokens.canAsk) return this.stop("unauthorized");
    try {
      const token = await this.tokens.toConnect(reason);
      this.#token = token;
      this.#do(this.connection.token());
    } catch (error) {
      if (this.connection.phase !== "token") return;
      if (error instanceof UnauthorizedError) this.stop("unauthorized");
      else this.#do(this.connection.tokenFailed(this.clock.random()));
    }
  }

  #open(): void {
    const link = this.ways.open({
      opened: () => link === this.#link && this.#greet(link),
      frame: (frame) => link === this.#link && this.#frame(frame),
      heard: () => link === this.#link && this.#heard(),
      closed: (code, reason, retryAfter) => link === this.#link && this.#closed(code, reason, retryAfter),
    });
    this.#link = link;
    this.#stopTimer = this.clock.after(OPENING, () => this.#giveUp("connect_timeout"));
  }

  #greet(link: Link): void {
    const { namespace, auth } = this.greeting;
    const recovery = this.#pid === undefined ? {} : { pid: this.#pid, offset: this.#position };
    const token = this.#token === undefined ? {} : { token: this.#token };
    const own = { ...(namespace === undefined ? {} : { namespace }), ...(auth === undefined ? {} : { auth }) };
    this.#send(link, { op: "connect", ...token, ...own, ...recovery }, (answer) => {
      // Where it was closed meanwhile, that was told.
      if (link !== this.#link) return;
      if (answer.ok) this.#greeted(answer);
      else this.#refused(answer.error?.code ?? "refused");
    });
  }

  #greeted(answer: Answer): void {
    const { session, user, pid, recovered, pingInterval } = answer as Answer & Record<string, unknown>;
    this.#stopTimer();
    this.ways.worked();
    this.id = String(session);
    this.user = String(user ?? "");
    this.#pid = typeof pid === "string" ? pid : undefined;
    if (recovered !== true) this.#position = undefined;
    this.connection.greeted(this.clock.now());
    if (!this.#link?.hasHeartbeat) this.#watchSilence(typeof pingInterval === "number" ? pingInterval : 25_000);
    this.tokens.keepFresh(
      (token) => this.#renew(token),
      () => this.stop("unauthorized"),
    );
    this.listener.changed();
    this.listener.connected();
  }

  #refused(code: string): void {
    // Of all refusals only this leaves the connection open, for another namespace; this client asks for one alone.
    if (code === "namespace_unknown") return this.stop(code);
    this.connection.refused(code);
  }

  async #renew(token: string): Promise<void> {
    try {
      await ask((answered) => this.call({ op: "refresh", token }, answered));
    } catch (error) {
      if (!(error instanceof SluiceError) || passes(error.code)) throw error;
      // Such as the token of another user: a new connection decides.
      this.#token = token;
      this.#giveUp(error.code);
    }
  }

  #frame(frame: Frame): void {
    this.#heard();
    if (isAnswer(frame)) return this.#requests.answered(frame);
    if (frame.offset !== undefined) this.#position = frame.offset;
    if (frame.event === "drain" && !frame.meta) {
      const { within } = frame.data as { within: number };
      this.connection.drains(this.clock.now() + within);
    }
    this.listener.push(frame);
  }

  #heard(): void {
    this.#probe?.heard(this.clock.now());
  }

  #watchSilence(interval: number): void {
    this.#probe = new Probe(this.clock.now(), interval * 1.2);
    const tick = () => {
      this.#stopTicks = this.clock.after(TICK, tick);
      const found = this.#probe?.look(this.clock.now());
      if (found === "ping") this.#ping();
      if (found === "dead") this.#giveUp("silent");
    };
    this.#stopTicks = this.clock.after(TICK, tick);
  }

  #doubt(): void {
    if (this.#probe?.doubt(this.clock.now())) this.#ping();
  }

  /** Any answer will do, and none is waited for: the probe does. */
  #ping(): void {
    this.#link?.send(0, { op: "ping" });
  }

  #giveUp(reason: string): void {
    this.#link?.close("given-up");
    this.#closed(1006, reason);
  }

  #closed(code: number, reason: string, retryAfter?: number): void {
    const blocked = code === 1006 && !reason.startsWith("http_");
    if (this.connection.phase === "opening" && blocked) this.ways.failed();
    this.#over(code === TOO_LARGE);
    this.#do(this.connection.closed(code, reason, this.clock.now(), this.clock.random(), retryAfter));
  }

  /** There is no link any more. */
  #over(tooLarge = false): void {
    this.#link = this.#probe = undefined;
    this.#stopTicks();
    this.#stopTimer();
    this.tokens.rest();
    this.#requests.disconnected();
    this.listener.disconnected(tooLarge);
  }
}
