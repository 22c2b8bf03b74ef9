import { connect, type NatsConnection } from "@nats-io/transport-node";
import { decodeArgs, encodeArgs } from "../../src/core/args.js";
import type { InstanceBeat } from "../../src/link/beats/beat.js";
import { type Subjects, subjectsOf } from "../../src/link/names.js";
import { type Entry, encodeEntry } from "../../src/stream/entry.js";
import { EntryReader } from "../../src/stream/entry-reader.js";
import { decodeFrame, encodeFrame, type Frame } from "../../src/stream/frame.js";
import { FROM_GATEWAY_BYTES, Stream, TO_GATEWAY_BYTES } from "../../src/stream/stream.js";
import { FakeClient } from "./fake-client.js";

interface Pair {
  readonly instance: string;
  readonly stream: Stream;
  readonly reader: EntryReader;
}

/** The gateway's side of the application protocol, as far as tests of the library need it, over a real NATS. */
export class FakeGateway {
  readonly beats = new Map<string, InstanceBeat>();
  readonly clients: FakeClient[] = [];
  /** What was heard of instances and is not about a session. */
  readonly heard: Entry[] = [];
  /** What the gateway answers a hello with. */
  welcome: object = { protocol: 1, limits: { payloadBytes: 65_536 } };
  /** The greatest `tick` that was heard of each instance. */
  readonly ticks = new Map<string, number>();
  /** How many hellos were heard. */
  hellos = 0;
  /** Called for each frame of an instance; `false` loses it. */
  arrives: (frame: Frame) => boolean = () => true;
  private readonly pairs = new Map<string, Pair>();
  private readonly timers: NodeJS.Timeout[] = [];
  private handles = 0;
  private calls = 0;

  private constructor(
    readonly id: string,
    private readonly nats: NatsConnection,
    private readonly subjects: Subjects,
  ) {}

  static async start(servers: string, application: string, login: object = {}): Promise<FakeGateway> {
    const id = "0000000a";
    const place = { kubernetesNamespace: "default", cluster: "chat", application };
    const gateway = new FakeGateway(
      id,
      await connect({ ...login, servers, reconnectTimeWait: 50, maxReconnectAttempts: -1 }),
      subjectsOf(place),
    );
    gateway.open();
    return gateway;
  }

  async stop(bye = true): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    if (bye) this.beat({ bye: true });
    await this.nats.flush();
    await this.nats.close();
  }

  /** A client asks an instance for a namespace; without one, any that stays. */
  connect(request: Record<string, unknown> & { instance?: string } = {}): FakeClient {
    const handle = String(++this.handles);
    const client = new FakeClient(this, handle, { session: `s${this.id}-${handle}`, connection: handle, ...request });
    this.clients.push(client);
    this.attach(client, request.instance);
    return client;
  }

  /** Gives a session to an instance, once there is one that takes it. */
  attach(client: FakeClient, instance?: string): void {
    const given = instance ?? [...this.pairs.keys()].find((id) => this.beats.get(id)?.leaving !== true);
    if (given === undefined || !this.pairs.has(given)) {
      setTimeout(() => this.attach(client, instance), 5);
      return;
    }
    client.instance = given;
    this.say(given, "connect", [client.handle], [JSON.stringify(client.request)]);
  }

  say(instance: string, kind: string, fields: (string | number | undefined)[], texts: string[] = []): void {
    this.write(instance, encodeEntry(kind, fields, texts));
  }

  sayArgs(instance: string, kind: string, fields: (string | number | undefined)[], args: unknown[]): void {
    const { text, blobs } = encodeArgs(args);
    this.write(instance, encodeEntry(kind, fields, [text], blobs));
  }

  /** Says something that is no frame, or anything else, to all that an instance listens to. */
  sayBytes(instance: string, bytes: Uint8Array): void {
    const { subjects } = this;
    const all = [subjects.toInstance(instance), subjects.beatsOfGateways, subjects.peers, subjects.toPeer(instance)];
    for (const subject of all) this.nats.publish(subject, bytes);
  }

  /** Ends the stream of an instance. */
  reset(instance: string): void {
    const pair = this.pairs.get(instance)!;
    this.pairs.delete(instance);
    this.deny(instance, pair.stream.number);
  }

  private open(): void {
    this.nats.subscribe(this.subjects.beatsOfInstances, {
      callback: (_error, message) => {
        const beat = message.json<InstanceBeat>();
        const known = this.beats.has(beat.instance);
        this.beats.set(beat.instance, beat);
        this.ticks.set(beat.instance, Math.max(beat.tick, this.ticks.get(beat.instance) ?? 0));
        if (!known) this.beat();
        if (beat.leaving) this.fenceAll(beat.instance);
      },
    });
    this.nats.subscribe(this.subjects.toGateway(this.id), { callback: (_error, message) => this.frame(message.data) });
    this.timers.push(setInterval(() => this.beat(), 500));
    this.timers.push(setInterval(() => this.pump(), 5));
  }

  private beat(more: object = {}): void {
    this.nats.publish(this.subjects.beatsOfGateways, JSON.stringify({ protocol: 1, gateway: this.id, ...more }));
  }

  private frame(message: Uint8Array): void {
    const frame = decodeFrame(message)!;
    if (!this.arrives(frame)) return;
    let pair = this.pairs.get(frame.sender);
    if (frame.kind === "R") return;
    if (!pair || frame.stream > pair.stream.number) {
      if (frame.kind !== "D" || frame.seq !== 1) return this.deny(frame.sender, frame.stream);
      const window = { to: FROM_GATEWAY_BYTES, from: TO_GATEWAY_BYTES };
      const stream = new Stream({ sender: this.id, number: frame.stream, frame: 1000, window });
      pair = { instance: frame.sender, stream, reader: new EntryReader() };
      this.pairs.set(frame.sender, pair);
    }
    if (frame.stream < pair.stream.number) return this.deny(frame.sender, frame.stream);
    const piece = pair.stream.hear(frame, Date.now());
    for (const entry of piece ? pair.reader.read(piece) : []) this.entry(pair, entry);
  }

  private deny(instance: string, stream: number): void {
    const frame = { kind: "R" as const, sender: this.id, stream, seq: 0, taken: 0, payload: Buffer.alloc(0) };
    this.nats.publish(this.subjects.toInstance(instance), encodeFrame(frame));
  }

  private pump(): void {
    for (const { instance, stream } of this.pairs.values()) {
      for (const frame of stream.frames(Date.now())) {
        this.nats.publish(this.subjects.toInstance(instance), encodeFrame(frame));
      }
    }
  }

  write(instance: string, entry: Buffer): void {
    this.pairs.get(instance)?.stream.write(entry);
  }

  private entry({ instance }: Pair, entry: Entry): void {
    const client = this.clients.find(({ handle }) => handle === entry.fields[0]);
    switch (entry.kind) {
      case "hello":
        this.hellos++;
        return this.say(instance, "welcome", [], [JSON.stringify(this.welcome)]);
      case "cast":
        return this.cast(instance, entry);
      case "joins":
      case "leaves":
      case "closes":
        this.heard.push(entry);
        for (const selected of this.select(entry))
          selected.changed(instance, entry.kind, JSON.parse(String(entry.bodies[1])));
        return;
      case "list":
        return this.list(instance, entry);
      case "released":
        return this.handOver(client!);
      default:
        client?.entry(entry);
    }
  }

  private select(entry: Entry): FakeClient[] {
    const { namespace, rooms, sessions, users, except = [] } = JSON.parse(String(entry.bodies[0]));
    const everybody = !rooms && !sessions && !users;
    return this.clients.filter(
      (client) =>
        client.state === "in" &&
        client.request.namespace === namespace &&
        (everybody ||
          rooms?.some((room: string) => client.isIn(room)) ||
          sessions?.includes(client.session) ||
          users?.includes(client.request.user)) &&
        !except.some((room: string) => client.isIn(room)),
    );
  }

  private cast(instance: string, entry: Entry): void {
    const [, call, ttl] = entry.fields;
    const selected = this.select(entry);
    const args = decodeArgs(entry.bodies.slice(1))!;
    if (call === "-") {
      for (const client of selected) client.emitted(args);
      return;
    }
    this.say(instance, "count", [call, selected.length]);
    const missing = new Set(selected.map(({ session }) => session));
    let timer: NodeJS.Timeout | undefined;
    const end = () => {
      clearTimeout(timer);
      this.say(instance, "done", [call], [JSON.stringify({ missing: [...missing] })]);
    };
    if (ttl !== "-" && missing.size > 0) timer = setTimeout(end, Number(ttl));
    for (const client of selected) {
      client.emitted(args, (answer) => {
        if (!missing.delete(client.session)) return;
        this.sayArgs(instance, "answer", [call, client.handle], answer);
        if (missing.size === 0) end();
      });
    }
    if (selected.length === 0) end();
  }

  private list(instance: string, entry: Entry): void {
    const { fields, after = "", limit } = JSON.parse(String(entry.bodies[1]));
    const all = this.select(entry).filter(({ session }) => session > after);
    all.sort((one, other) => (one.session < other.session ? -1 : 1));
    const page = all.slice(0, Math.min(limit, 2)).map((client) => client.listed(fields));
    this.say(instance, "page", [entry.fields[0], all.length > page.length ? 1 : 0], [JSON.stringify(page)]);
  }

  private fenceAll(instance: string): void {
    for (const client of this.clients) {
      if (client.instance !== instance || client.state !== "in") continue;
      client.state = "fenced";
      this.say(instance, "fence", [client.handle]);
    }
  }

  private handOver(client: FakeClient): void {
    const handle = String(++this.handles);
    client.moves(handle);
    this.attach(client);
  }

  nextCall(): number {
    return ++this.calls;
  }
}
