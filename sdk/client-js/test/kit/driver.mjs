// The kit's driver for this library: commands come in a line each, and what the client tells goes out a line each.
// SLUICE_CLIENT names another build of the library.
import { createInterface } from "node:readline";
import WebSocket from "ws";

const { Client, UnauthorizedError } = await import(process.env.SLUICE_CLIENT ?? "@sluice/client");

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

/** A client that asks for these tokens by turns, and then says that nobody is signed in. */
function start({ url, tokens = ["t1", "t1", "t1", "t1"] }) {
  const left = [...tokens];
  const getToken = ({ reason }) => {
    tell({ token: reason });
    const token = left.shift();
    if (token === undefined) throw new UnauthorizedError();
    return token;
  };
  const client = new Client(url, { WebSocket, getToken });
  client.on("state", tell);
  return client;
}

let client;
let options;
const others = [];
const offs = new Map();
const watched = new Set();

/** The room, of which each state is told. */
function roomOf(name) {
  const room = client.room(name);
  if (!watched.has(name)) room.onState((state) => tell({ room: name, ...state }));
  watched.add(name);
  return room;
}

/** Tells what became of something that takes its time. */
function settle(name, promise) {
  promise.then(
    (value) => tell({ done: name, ...value }),
    (error) => tell({ failed: name, code: error.code ?? error.name }),
  );
}

async function readHistory(room, limit) {
  const data = [];
  for await (const message of room.history({ limit })) data.push(message.data);
  return { data };
}

const COMMANDS = {
  new: (command) => {
    options = command;
    client = start(command);
  },
  another: () => {
    const another = start(options);
    others.push(another);
    another.connect().catch(() => {});
  },
  connect: ({ as = "connect" }) => settle(as, client.connect()),
  disconnect: () => client.disconnect(),
  wake: () => client.wake(),
  join: ({ room, as }) => settle(as, roomOf(room).join()),
  listen: ({ room, event, as }) => {
    offs.set(
      as,
      roomOf(room).on(event, (data) => tell({ message: { room, event, data } })),
    );
  },
  unlisten: ({ as }) => offs.get(as)(),
  publish: ({ room, event, data, as, id }) => settle(as, roomOf(room).publish(event, data, id ? { id } : {})),
  history: ({ room, limit, as }) => settle(as, readHistory(roomOf(room), limit)),
  presence: ({ room, as }) => {
    roomOf(room)
      .presence()
      .onChange(({ users }) => tell({ present: as, users }));
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  COMMANDS[command.do](command);
}
