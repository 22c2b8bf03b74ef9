/** What a gateway answers to `connect` unless a scenario says otherwise. */
const GREETING = { session: "s1", user: "ann", pid: "p1", recovered: false, pingInterval: 25_000 };

/** The steps of scenarios by their names: README.md says what each means. */
export const STEPS = {
  /** The client is told to do something. */
  does: async ({ drivers }, { by, ...command }) => drivers.get(by).does(command),

  /** The client is told to publish the numbers below `count`, each once it was told to publish the one before. */
  publishes: async ({ drivers }, { by, room, event, count }) => {
    for (let data = 0; data < count; data += 1) drivers.get(by).does({ do: "publish", room, event, data, as: `${data}` });
  },

  /** The client tells something. */
  tells: async ({ drivers }, { by, ...wanted }, { within }) => {
    await drivers.get(by).told.take(wanted, within);
  },

  /** The client has told nothing like it. */
  never_tells: async ({ drivers }, { by, ...wanted }) => {
    const [found] = drivers.get(by).told.all(wanted);
    if (found) throw new Error(`it told ${JSON.stringify(found)}`);
  },

  /** The network of those who are far: `cut`, `reset`, `mend`, or `{delay: ms}`. */
  network: async ({ network }, what) => (typeof what === "string" ? network[what]() : network.delay(what.delay)),

  /** The client has told exactly this of an event so far, in this order. */
  heard: async ({ drivers }, { by, room, event, data, count }, { within }) => {
    const wanted = { message: { room, event } };
    const all = data ?? Array.from({ length: count }, (_, number) => number);
    const deadline = Date.now() + within;
    const found = () => drivers.get(by).told.all(wanted).map(({ message }) => message.data);
    while (found().length < all.length && Date.now() < deadline) await new Promise((done) => setTimeout(done, 5));
    if (JSON.stringify(found()) !== JSON.stringify(all)) throw new Error(`it heard ${JSON.stringify(found())}`);
  },

  /** The client opens a connection, and is let in. */
  enters: async (stage, { asks = {}, ...greeting } = {}, { within }) => {
    await STEPS.opens(stage, {}, { within });
    await STEPS.gets(stage, { op: "connect", ...asks }, { within, answers: { ...GREETING, ...greeting } });
  },

  /** The client opens a connection, at the earliest `after` milliseconds after the step before. */
  opens: async (stage, { after = 0, ...wanted } = {}, { within }) => {
    const { at } = await stage.gateway.opened.take({ refused: null, ...wanted }, within);
    if (stage.last && at - stage.last < after) throw new Error(`it came after ${at - stage.last} ms already`);
  },

  /** The client sends a frame, and is answered. */
  gets: async ({ gateway }, wanted, { within, answers, refuses }) => {
    const { id } = await gateway.got.take(wanted, within);
    if (answers) gateway.send({ id, ok: true, ...answers });
    if (refuses) gateway.send({ id, ok: false, error: { code: refuses, message: refuses } });
  },

  /** The client sends no such frame for so many milliseconds. */
  never: async ({ gateway, pause }, wanted, { during = 500 }) => {
    await pause(during);
    const [found] = gateway.got.all(wanted);
    if (found) throw new Error(`it sent ${JSON.stringify(found)}`);
  },

  /** The client opens no connection for so many milliseconds. */
  stays_away: async ({ gateway, pause }, during) => {
    await pause(during);
    if (gateway.opened.all({}).length) throw new Error("it came back");
  },

  /** The gateway sends a frame. */
  sends: async ({ gateway }, frame) => gateway.send(frame),

  closes: async (stage, { code, reason }) => {
    stage.last = Date.now();
    stage.gateway.close(code, reason);
  },

  cuts: async (stage) => {
    stage.last = Date.now();
    stage.gateway.cut();
  },

  silences: async (stage) => {
    stage.last = Date.now();
    stage.gateway.silence();
  },

  /** From now on connections are answered by an HTTP status. */
  refuses: async ({ gateway }, refusal) => gateway.refuse(refusal),

  /** The client tries to connect, and is refused. */
  is_refused: async (stage, status, { within }) => {
    const { at } = await stage.gateway.opened.take({ refused: status }, within);
    stage.last = at;
  },

  accepts: async ({ gateway }) => gateway.accept(),

  /** So many clients lose their connections at once, and come back spread over so many milliseconds at least. */
  storm: async ({ gateway, drivers }, { clients, spread }, { within }) => {
    for (let number = 1; number < clients; number += 1) drivers.get(undefined).does({ do: "another" });
    for (let number = 0; number < clients; number += 1) {
      await gateway.opened.take({ refused: null }, within);
      await STEPS.gets({ gateway }, { op: "connect" }, { within, answers: GREETING });
    }
    gateway.cutAll();
    const times = [];
    for (let number = 0; number < clients; number += 1) times.push((await gateway.opened.take({ refused: null }, within)).at);
    const between = Math.max(...times) - Math.min(...times);
    if (between < spread) throw new Error(`all came back within ${between} ms`);
  },
};
