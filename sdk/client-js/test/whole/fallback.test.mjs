import assert from "node:assert/strict";
import { test } from "node:test";
import { io } from "socket.io-client";
import { socketIo } from "@sluice/client/socketio";
import { cluster, kept } from "../../../../tests/client/support/documents.mjs";
import { useGateway } from "../../../../tests/client/support/gateway.mjs";
import { until } from "../../../../tests/client/support/wait.mjs";
import { useClient } from "./support/use.mjs";

const gateway = await useGateway([cluster(), kept]);

/** A WebSocket as a proxy has it that lets none through. */
class Blocked extends EventTarget {
  readyState = 3;
  constructor() {
    super();
    queueMicrotask(() => this.dispatchEvent(Object.assign(new Event("close"), { code: 1006, reason: "" })));
  }
  send() {}
  close() {}
}

test("where no WebSocket gets through the client comes by polling, with rooms, bytes, history and presence", async () => {
  const ann = useClient(gateway, "ann", { WebSocket: Blocked, fallback: socketIo(io) });
  const bob = useClient(gateway, "bob");
  const got = [];
  const room = ann.room("kept-poll");
  room.on("file", (data, meta) => got.push([Buffer.from(data.bytes).toString("hex"), meta.from]));
  const presence = room.presence();
  await room.join();
  assert.equal(ann.transport, "socketio");
  await bob.room("kept-poll").publish("file", { bytes: new Uint8Array([1, 2]) });
  const { offset } = await room.publish("file", { bytes: new Uint8Array([3]) });
  assert.equal(typeof offset, "number");
  await until("both messages", () => got.length === 2);
  assert.deepEqual(got, [
    ["0102", "bob"],
    ["03", "ann"],
  ]);
  await until("presence", () => presence.users.includes("ann"));
  const events = [];
  for await (const { event } of room.history({ limit: 5 })) events.push(event);
  assert.deepEqual(events, ["file", "file"]);
});

test("over polling, a refused token ends in unauthorized", async () => {
  const nobody = useClient(gateway, "nobody", {
    WebSocket: Blocked,
    fallback: socketIo(io),
    getToken: () => "no token",
  });
  await assert.rejects(nobody.connect(), { code: "unauthorized" });
});
