import { after, before } from "node:test";
import { Server, type ServerOptions } from "../../src/index.js";
import { FakeGateway } from "./fake-gateway.js";
import { Nats } from "./nats.js";

/** What the tests of a file share: a NATS and a gateway, and the servers that they make, which are closed at the end. */
export class Place {
  nats!: Nats;
  gateway!: FakeGateway;
  private readonly servers: Server<any, any, any, any>[] = [];
  private applications = 0;

  /** A new instance. */
  server(options: Partial<ServerOptions> = {}): Server<any, any, any, any> {
    const server = new Server<any, any, any, any>({
      servers: this.nats.address,
      cluster: "chat",
      application: this.application,
      leaveOn: [],
      ...options,
    });
    this.servers.push(server);
    return server;
  }

  get application(): string {
    return `app${this.applications}`;
  }

  /** Each test has an application of its own, and so a gateway of its own. */
  async next(): Promise<void> {
    this.applications++;
    this.gateway = await FakeGateway.start(this.nats.address, this.application);
  }

  async end(): Promise<void> {
    await Promise.all(this.servers.splice(0).map((server) => server.close()));
    await this.gateway.stop();
  }
}

export function placeForTests(): Place {
  const place = new Place();
  before(async () => {
    place.nats = await Nats.start();
  });
  after(() => place.nats.stop());
  return place;
}
