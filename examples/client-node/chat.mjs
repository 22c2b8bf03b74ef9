// A chat in the terminal: what is typed goes to the room, and what others say is shown.
// GATEWAY_URL and TOKEN say where and who; ROOM is the lobby unless it is given.
import { createInterface } from "node:readline";
import { Client } from "@sluice/client";
import { fileStore } from "@sluice/client/file-store";
import WebSocket from "ws";

const { GATEWAY_URL = "http://localhost:8080", TOKEN, ROOM = "lobby", OUTBOX } = process.env;

const client = new Client(GATEWAY_URL, {
  WebSocket,
  // A real application asks its own server here.
  getToken: () => TOKEN,
  // What could not be sent is sent by the next run.
  outbox: OUTBOX ? { age: 24 * 3_600_000, store: fileStore(OUTBOX) } : {},
});

const room = client.room(ROOM);
room.on("message", ({ text }, { from }) => console.log(`${from}: ${text}`));
room.onState(({ state, recovered }) => {
  if (state === "joined" && recovered === false) console.log("— you may have missed something —");
});
client.on("state", ({ state, reason }) => console.log(`— ${state} (${reason}) —`));

const presence = room.presence();
presence.onChange(({ users }) => console.log(`— here: ${users.join(", ")} —`));

const earlier = [];
for await (const { data, meta } of room.history({ limit: 10 })) earlier.unshift(`${meta.from}: ${data.text}`);
if (earlier.length) console.log(earlier.join("\n"));

for await (const text of createInterface({ input: process.stdin })) {
  // It waits where there is no connection; an error says why it could not be sent.
  room.publish("message", { text }).catch((error) => console.log(`— not sent: ${error.message} —`));
}
