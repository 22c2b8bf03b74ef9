import { connect, type Msg, type NatsConnection } from "@nats-io/transport-node";
import type { Entry } from "../stream/entry.js";
import { FRAME_BYTES, FRAME_LINE_BYTES } from "../stream/frame.js";
import { PROTOCOL, parseObject } from "./beats/beat.js";
import { Beats } from "./beats/beats.js";
import type { Gateway, GatewayPort } from "./gateway.js";
import { Gateways } from "./gateways.js";
import { newInstanceId, type Subjects, subjectsOf } from "./names.js";
import { connectionOptions } from "./nats.js";
import { type LinkOptions, type Place, placeOf } from "./options.js";
import { Peers } from "./peers.js";

/** What the link tells those who use it. */
export interface LinkEvents {
  entry(gateway: Gateway, entry: Entry): void;
  /** The stream has ended, the gateway is there: what was attached through it belongs to others. */
  reset(gateway: Gateway): void;
  /** The gateway has ended, and the connections of clients that it had. */
  gone(gateway: Gateway): void;
  /** Another instance says something, to all or to this one. */
  peer(message: Record<string, unknown>): void;
}

/** How often the main loop looks at what time has made due, in ms. */
const TICK = 50;

/** A tick that comes later than this says that the loop was blocked: beats that it did not read were not missed. */
const LATE = 1000;

/** How long NATS may be silent before a person is told, in ms. */
const PATIENCE = 10_000;

/** The connection of this instance to NATS, and by it to gateways and other instances. */
export class Link {
  readonly instance = newInstanceId();
  readonly place: Place;
  private readonly subjects: Subjects;
  private readonly beats: Beats;
  private readonly gateways: Gateways;
  private readonly peers = new Peers(this.instance);
  private readonly timer: NodeJS.Timeout;
  private connection: NatsConnection | undefined;
  private connected = false;
  private ended = false;
  private soundSince = Number.POSITIVE_INFINITY;
  private lastTick = Date.now();
  private readonly began = Date.now();
  private flushing: NodeJS.Immediate | undefined;
  private readonly beforeFlush: (() => void)[] = [];
  /** Done once NATS was reached and all subscriptions are made. */
  readonly ready: Promise<void>;

  constructor(
    options: LinkOptions,
    private readonly events: LinkEvents,
  ) {
    this.place = placeOf(options);
    this.subjects = subjectsOf(this.place);
    const { name, zone } = this.place;
    const beat = { protocol: PROTOCOL, instance: this.instance, name, zone };
    this.beats = new Beats(this.natsOptions(), this.subjects.beatsOfInstances, beat);
    this.gateways = new Gateways(this.port(), events);
    this.timer = setInterval(() => this.tick(Date.now()), TICK);
    this.ready = this.open();
  }

  /** The gateways that are there. */
  openGateways(): Generator<Gateway> {
    return this.gateways.open();
  }

  /** The other instances that are there and stay. */
  otherInstances(): string[] {
    return this.peers.alive(Date.now());
  }

  /** How many sessions are attached, which gateways choose by. */
  set sessions(count: number) {
    this.beats.sessions = count;
  }

  /** Says to all other instances, or to one. It may be lost, as NATS loses messages. */
  tellPeers(message: Record<string, unknown>, instance?: string): void {
    const subject = instance === undefined ? this.subjects.peers : this.subjects.toPeer(instance);
    this.connection?.publish(subject, JSON.stringify({ ...message, from: this.instance }));
  }

  /** Does this at the end of each tick of the loop in which something was said, before it is sent. */
  onFlush(work: () => void): void {
    this.beforeFlush.push(work);
  }

  /** Sends what there is at the end of this tick of the loop. */
  wake(): void {
    this.flushing ??= setImmediate(() => this.flush());
  }

  /** Says that this instance takes no more sessions. */
  leave(): void {
    this.beats.leaving = true;
    this.beatNow();
  }

  /** The last beat; after that nothing is heard or sent. */
  async close(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.timer);
    this.flush();
    await this.beats.stop();
    this.beatNow(true);
    await this.connection?.flush().catch(() => {});
    await this.connection?.close();
  }

  private natsOptions() {
    const { servers, credentials, user, password, token, tls } = this.place;
    return { servers, credentials, user, password, token, tls };
  }

  private port(): GatewayPort {
    const frameBytes = () => Math.min(this.connection?.info?.max_payload ?? FRAME_BYTES, FRAME_BYTES);
    const { name, zone } = this.place;
    return {
      sender: this.instance,
      get frame() {
        return frameBytes() - FRAME_LINE_BYTES;
      },
      hello: JSON.stringify({ protocols: [PROTOCOL], instance: this.instance, name, zone, sdk: "node" }),
      publish: (gateway, message) => this.connection?.publish(this.subjects.toGateway(gateway), message),
      wake: (gateway) => {
        this.gateways.wake(gateway);
        this.wake();
      },
      entry: (gateway, entry) => this.events.entry(gateway, entry),
      reset: (gateway) => this.events.reset(gateway),
      refused: (gateway, code, message) =>
        process.emitWarning(`The gateway ${gateway.id} does not take this instance (${code}): ${message}`),
    };
  }

  private async open(): Promise<void> {
    const connection = await connect(connectionOptions(this.natsOptions(), this.place.name));
    if (this.ended) return connection.close();
    this.connection = connection;
    this.watch(connection);
    this.hear(this.subjects.beatsOfGateways, (message) => this.gateways.beat(message.data, Date.now()));
    this.hear(this.subjects.beatsOfInstances, (message) => this.peers.beat(message.data, Date.now()));
    this.hear(this.subjects.toInstance(this.instance), (message) => this.gateways.frame(message.data, Date.now()));
    for (const subject of [this.subjects.peers, this.subjects.toPeer(this.instance)]) {
      this.hear(subject, (message) => {
        const said = parseObject(message.data);
        if (said && said.from !== this.instance) this.events.peer(said);
      });
    }
    this.isSound(true);
    await connection.flush();
    this.beats.start();
    this.beatNow();
  }

  private hear(subject: string, then: (message: Msg) => void): void {
    this.connection!.subscribe(subject, {
      callback: (error, message) => {
        if (!error) then(message);
        else process.emitWarning(`NATS does not let this application subscribe to ${subject}: ${error.message}`);
      },
    });
  }

  private async watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === "disconnect") this.isSound(false);
      if (status.type === "reconnect") this.isSound(true);
      if (status.type === "error") process.emitWarning(`NATS says: ${status.error.message}`);
    }
  }

  private isSound(sound: boolean): void {
    this.connected = sound;
    this.soundSince = sound ? Date.now() : Number.POSITIVE_INFINITY;
  }

  private beatNow(bye = false): void {
    this.connection?.publish(this.subjects.beatsOfInstances, JSON.stringify(this.beats.now(bye)));
  }

  private flush(): void {
    clearImmediate(this.flushing);
    for (const work of this.beforeFlush) work();
    this.flushing = undefined;
    if (this.connected) this.gateways.pumpAwake(Date.now());
  }

  private tick(now: number): void {
    this.beats.ran(now);
    if (now - this.lastTick > LATE && this.connected) this.soundSince = now;
    this.lastTick = now;
    if (!this.connected) {
      this.complain(now);
      return;
    }
    this.gateways.pumpDue(now);
    this.gateways.forgetSilent(now, this.soundSince);
  }

  private complained = false;
  private complain(now: number): void {
    if (this.complained || this.connection || now - this.began < PATIENCE) return;
    this.complained = true;
    process.emitWarning(
      `NATS was not reached at ${this.place.servers.join(", ")} for ${PATIENCE / 1000} s. ` +
        "See that the option servers (or SLUICE_SERVERS) and the credentials are right; it is tried on.",
    );
  }
}
