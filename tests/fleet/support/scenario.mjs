import { Crowd } from "./crowd.mjs";
import { crowded, fleetCluster } from "./documents.mjs";
import { Fleet } from "./fleet.mjs";
import { Nats } from "./nats.mjs";
import { row } from "./table.mjs";
import { judge } from "./verdict.mjs";

/** Messages that are published before and after what a scenario does. */
const BEFORE_AND_AFTER = 60;
/** How long publishing may take to go on, clients to be back, and deliveries to arrive, in milliseconds. */
const [TO_PUBLISH, TO_RETURN, TO_ARRIVE] = [60_000, 30_000, 10_000];

/** NATS, a fleet of three gateways over it, and a crowd connected to the fleet. */
export class Stage {
  static async set(size, settings) {
    const stage = new Stage();
    await stage.#set(size, settings).catch((error) => stage.strike().then(() => Promise.reject(error)));
    console.log(row());
    return stage;
  }

  /**
   * Does `act` while publishers publish, waits until everything is well again, and resolves to the
   * verdict. `act` resolves to how many connections are lost by it, if it is to lose any; clients
   * get `toReturn` milliseconds to be back.
   */
  async play(name, act, toReturn = TO_RETURN) {
    const { crowd } = this;
    await crowd.begin();
    await crowd.published(BEFORE_AND_AFTER, TO_PUBLISH);
    const losses = (await act()) ?? 0;
    // Who is not back, or what is not delivered, is in the verdict.
    await crowd.when("all clients to be back", ({ lost, away }) => lost >= losses && away === 0, toReturn).catch(() => {});
    await crowd.published(BEFORE_AND_AFTER, TO_PUBLISH).catch(() => {});
    const verdict = judge(await crowd.end(TO_ARRIVE));
    console.log(row(name, verdict));
    return verdict;
  }

  async strike() {
    await this.crowd?.stop();
    await this.fleet?.stop();
    await this.nats?.stop();
  }

  async #set(size, settings) {
    this.nats = await Nats.start(size);
    this.fleet = await Fleet.start(3, [fleetCluster(this.nats.url), crowded]);
    this.crowd = await Crowd.start(this.fleet, settings);
  }
}
