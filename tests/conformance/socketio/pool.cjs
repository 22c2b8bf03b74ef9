// Gateways that are started before tests ask for them, and ended with the test that had them.
const { startGateway, names } = require("./gateways.cjs");

const AHEAD = Number(process.env.SLUICE_GATEWAYS_AHEAD ?? 4);

class Place {
  constructor(options) {
    const { servers, cluster } = names();
    this.options = { servers, cluster };
    this.gateway = startGateway(cluster, options);
    this.gateway.catch(() => {});
    this.url = this.gateway.then(({ url }) => url);
    this.url.catch(() => {});
  }

  usedBy(server) {
    this.server = server;
  }

  async end() {
    const closed = this.server?.close().catch(() => {});
    await Promise.race([closed, new Promise((then) => setTimeout(then, 300))]);
    (await this.gateway.catch(() => undefined))?.stop();
  }
}

const OF_THE_GATEWAY = ["pingInterval", "pingTimeout", "maxHttpBufferSize", "connectionStateRecovery", "connectTimeout"];

class Pool {
  ahead = [];
  used = [];

  /** Starts gateways until there are enough; done once they are ready. */
  async fill() {
    while (this.ahead.length < AHEAD) this.ahead.push(new Place({}));
    await Promise.allSettled(this.ahead.map(({ gateway }) => gateway));
  }

  take(options) {
    const isOrdinary = OF_THE_GATEWAY.every((name) => options[name] === undefined);
    const place = (isOrdinary && this.ahead.shift()) || new Place(options);
    this.used.push(place);
    return place;
  }

  async endUsed() {
    await Promise.all(this.used.splice(0).map((place) => place.end()));
  }
}

exports.pool = new Pool();
