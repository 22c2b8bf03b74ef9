import { Connection, signIn } from "/connection.js";
import { Conversations } from "/conversations.js";
import { scrollToEnd, showConversation, showLists, showNotice, showStatus } from "/view.js";

const element = (id) => document.getElementById(id);
const conversations = new Conversations();
let me;
let connection;
/** Since when the connection is lost, and how many messages came after it returned. */
let outage;

start();

async function start() {
  const name = new URLSearchParams(location.search).get("name") ?? sessionStorage.getItem("name");
  if (!name) return askForName();
  try {
    const login = await signIn(name);
    sessionStorage.setItem("name", login.user);
    enter(login);
  } catch (error) {
    askForName(error.message);
  }
}

function askForName(problem = "") {
  element("login").hidden = false;
  element("login-error").textContent = problem;
  element("login-form").onsubmit = (event) => {
    event.preventDefault();
    sessionStorage.setItem("name", element("login-name").value);
    element("login").hidden = true;
    start();
  };
  element("login-name").focus();
}

function enter(login) {
  me = login.user;
  element("chat").hidden = false;
  element("me").textContent = me;
  document.title = `${me} · Sluice chat`;
  for (const room of ["lobby", "announcements", `support-${me}`]) conversations.ensure("room", room);
  element("drop").onclick = () => connection.drop();
  element("leave").onclick = () => sessionStorage.clear();
  window.addEventListener("pagehide", () => connection.leave());
  element("send-form").onsubmit = submit(element("text"), send);
  element("join-form").onsubmit = submit(element("join-name"), joinByName);
  choose(conversations.get("room", "lobby"));
  showStatus("connecting", "Connecting…");
  connection = new Connection(login, { state: showStatus, ready, lost, message, direct, presence });
}

/** Handles a form of one field: gives its text to `act` and empties it. */
function submit(field, act) {
  return (event) => {
    event.preventDefault();
    const text = field.value.trim();
    field.value = "";
    showNotice();
    if (text) act(text);
  };
}

function choose(conversation) {
  conversations.show(conversation);
  draw();
  scrollToEnd();
  element("text").focus();
}

function draw() {
  showLists(conversations, choose);
  showConversation(conversations.open, me, (user) => choose(conversations.ensure("direct", user)));
}

function lost() {
  outage ??= { since: Date.now(), missed: 0, note: conversations.open.note("Connection lost") };
  draw();
}

/** The connection stands: rooms are entered where the session did not bring them back. */
async function ready(recovered) {
  showStatus("connected", "Connected");
  const rooms = conversations.of("room");
  await Promise.all(rooms.map((room) => (recovered ? readPresence(room) : joinRoom(room))));
  for (const conversation of [...rooms, ...conversations.of("direct")]) conversation.pending.forEach(deliver);
  if (outage) {
    const { note, since, missed } = outage;
    const outcome = `${recovered ? "recovered" : "joined again"}, ${missed} ${missed === 1 ? "message" : "messages"} caught up`;
    note.text = `Connection lost for ${((Date.now() - since) / 1000).toFixed(1)} s · ${outcome}`;
    showStatus("connected", `Connected · ${outcome}`);
    outage = undefined;
  }
  draw();
}

/** Joins a room, after what was read of it before; reads its history the first time. */
async function joinRoom(room) {
  try {
    const { epoch, offset, recovered } = await connection.request("join", room.name, room.position ?? {});
    if (!room.position || recovered === false) {
      room.clear();
      room.position = { after: offset, epoch };
      const { messages } = await connection.request("history", room.name, { limit: 200 });
      for (const { data, meta } of messages) room.add(entry(data, meta));
    }
    await readPresence(room);
    draw();
    scrollToEnd();
  } catch (error) {
    conversations.remove(room);
    if (conversations.open === room) choose(conversations.get("room", "lobby"));
    showNotice(`${room.name}: ${error.message}`);
    draw();
  }
}

async function readPresence(room) {
  room.people = (await connection.request("presence", room.name)).users.sort();
}

async function joinByName(name) {
  const room = conversations.ensure("room", name);
  choose(room);
  await joinRoom(room);
}

const entry = (data, { from, id, offset, time }) => ({ id, from, offset, time, text: String(data.text), state: "sent" });

function message(data, meta) {
  arrived(conversations.ensure("room", meta.room), entry(data, meta));
}

function direct(data, meta) {
  arrived(conversations.ensure("direct", meta.from), entry(data, meta));
}

function arrived(conversation, received) {
  const isNew = conversation.add(received);
  if (isNew && outage) outage.missed += 1;
  if (isNew && conversation !== conversations.open) conversation.unread += 1;
  draw();
}

function presence(change) {
  const room = conversations.get("room", change.room);
  if (!room) return;
  room.change(change);
  draw();
}

function send(text) {
  const message = { id: crypto.randomUUID(), from: me, time: Date.now(), text, state: "pending", to: conversations.open };
  conversations.open.add(message);
  deliver(message);
  draw();
  scrollToEnd();
}

/** Sends a message; sending it again after a loss is safe, since the gateway knows its id. */
async function deliver(message) {
  const { id, to, text } = message;
  try {
    if (to.kind === "room") await connection.request("publish", to.name, "message", { text }, { id });
    else await connection.request("direct", to.name, "direct-message", { text });
    to.settle(message, { state: "sent" });
  } catch (error) {
    to.settle(message, { state: "failed", error: error.message });
  }
  draw();
}
