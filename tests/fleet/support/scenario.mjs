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
    stage.nats = await Nats.start(size);
    stage.fleet = await Fleet.start(3, [fleetCluster(stage.nats.url), crowded]);
    stage.crowd = await Crowd.start(stage.fleet, settings);
    console.log(row());
    return stage;
  }

  /**
   * Does `act` while publishers publish, waits until everything is well again, and resolves to the
   * verdict. `act` resolves to how many connections are lost by it, if it is to lose any.
   */
  async play(name, act) {
    const { crowd } = this;
    await crowd.begin();
    await crowd.published(BEFORE_AND_AFTER, TO_PUBLISH);
    const losses = (await act()) ?? 0;
    // Who is not back, or what is not delivered, is in the verdict.
    await crowd.when("all clients to be back", ({ lost, away }) => lost >= losses && away === 0, TO_RETURN).catch(() => {});
    await crowd.published(BEFORE_AND_AFTER, TO_PUBLISH).catch(() => {});
    const verdict = judge(await crowd.end(TO_ARRIVE));
    console.log(row(name, verdict));
    for (const fault of verdict.faults) console.log(`  ${fault}`);
    return verdict;
  }

  async strike() {
    await this.crowd?.stop();
    await this.fleet?.stop();
    await this.nats?.stop();
  }
}
