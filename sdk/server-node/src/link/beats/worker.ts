import { workerData } from "node:worker_threads";
import { connect } from "@nats-io/transport-node";
import { connectionOptions } from "../nats.js";
import type { NatsOptions } from "../options.js";
import { BEAT_EVERY, type InstanceBeat } from "./beat.js";
import { Shared } from "./shared.js";

/** What the thread is started with. */
export interface WorkerData {
  readonly nats: NatsOptions;
  readonly subject: string;
  readonly beat: Pick<InstanceBeat, "protocol" | "instance" | "name" | "zone">;
  readonly memory: SharedArrayBuffer;
}

// The thread of the beats. It has a connection of its own, so that a beat says that the process is there and not that its
// main loop is: how long that has not run is in the beat.
const { nats, subject, beat, memory } = workerData as WorkerData;
const shared = new Shared(memory);

connect(connectionOptions(nats, `${beat.name} (beats)`)).then((connection) => {
  setInterval(() => {
    const now: InstanceBeat = {
      ...beat,
      sessions: shared.sessions,
      tick: shared.since(Date.now()),
      ...(shared.leaving && { leaving: true }),
    };
    if (!connection.isClosed()) connection.publish(subject, JSON.stringify(now));
  }, BEAT_EVERY);
});
