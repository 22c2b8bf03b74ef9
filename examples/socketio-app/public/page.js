import { io } from "/socket.io-client.js";

const element = (id) => document.getElementById(id);
const gateway = await (await fetch("/gateway")).json();
const user = `guest-${Math.floor(Math.random() * 1000)}`;
const socket = io(gateway, { auth: { user } });
let disconnects = 0;

function show(text) {
  const line = document.createElement("li");
  line.textContent = text;
  element("messages").append(line);
}

socket.on("connect", () => (element("connection").textContent = `${socket.id}, as ${user}`));
socket.on("connect_error", (error) => show(`Not connected: ${error.message}`));
socket.on("disconnect", (reason) => {
  element("connection").textContent = reason;
  element("disconnects").textContent = String(++disconnects);
});
// Comes again from another instance when the one before has ended; the connection stays.
socket.on("served", ({ by, greeting }) => {
  element("by").textContent = by;
  show(`${greeting} (from ${by})`);
});
socket.on("said", (message) => show(`${message.user}: ${message.text}`));
socket.on("came", (other) => show(`${other.user} has come`));
socket.on("went", (other) => show(`${other.user} has gone`));

element("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = element("text").value;
  element("text").value = "";
  const answer = await socket.emitWithAck("say", text);
  show(answer.error ?? `${user}: ${text} (taken by ${answer.by})`);
});
