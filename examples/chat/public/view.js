const element = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** A colour for a name: the same in every tab. */
function hue(name) {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + char.codePointAt(0)) % 360;
  return sum;
}

function avatar(name) {
  const made = make("span", { className: "avatar", textContent: [...name][0].toUpperCase(), ariaHidden: "true" });
  made.style.setProperty("--hue", hue(name));
  return made;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** Shows the connection's state; `state` decides the colour. */
export function showStatus(state, text) {
  Object.assign(element("status"), { textContent: text });
  element("status").dataset.state = state;
  element("drop").disabled = state !== "connected";
}

export function showNotice(text = "") {
  element("notice").textContent = text;
}

/** Draws the lists of conversations; `choose(conversation)` is called on a click. */
export function showLists(conversations, choose) {
  for (const [kind, list] of [["room", "rooms"], ["direct", "directs"]]) {
    const items = conversations.of(kind).map((conversation) => listItem(conversation, conversations.open, choose));
    element(list).replaceChildren(...items);
  }
  element("no-directs").hidden = conversations.of("direct").length > 0;
}

function listItem(conversation, open, choose) {
  const button = make("button", { type: "button", onclick: () => choose(conversation) });
  button.append(conversation.kind === "room" ? make("span", { className: "hash", textContent: "#", ariaHidden: "true" }) : avatar(conversation.name));
  button.append(make("span", { className: "name", textContent: conversation.name }));
  if (conversation === open) button.setAttribute("aria-current", "true");
  if (conversation.unread > 0) {
    button.append(make("span", { className: "badge", textContent: conversation.unread, ariaLabel: `${conversation.unread} unread` }));
  }
  return make("li", {}, button);
}

/** Draws the open conversation: its title, its messages and who is there. */
export function showConversation(conversation, me, write) {
  const direct = conversation.kind === "direct";
  element("title").textContent = (direct ? "@" : "#") + conversation.name;
  element("subtitle").textContent = direct
    ? "Goes to every session of this person, and is not kept."
    : "Everyone in the room sees this; the gateway keeps its history.";
  const log = element("log");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.replaceChildren(...conversation.entries.map((entry, index, all) => line(entry, all[index - 1], me)));
  if (atEnd) log.scrollTop = log.scrollHeight;
  showPeople(direct ? [me, conversation.name] : conversation.people, me, write);
}

/** Scrolls to the newest message. */
export function scrollToEnd() {
  element("log").scrollTop = element("log").scrollHeight;
}

function line(entry, previous, me) {
  if (entry.note) return make("li", { className: "note" }, make("span", { textContent: entry.text }));
  const own = entry.from === me;
  const item = make("li", { className: own ? "message own" : "message" });
  item.dataset.state = entry.state ?? "sent";
  const follows = previous && !previous.note && previous.from === entry.from && entry.time - previous.time < 120_000;
  if (follows) item.classList.add("follows");
  const head = make("p", { className: "head" },
    make("b", { textContent: own ? "You" : entry.from }), " ",
    make("time", { textContent: clock.format(entry.time), dateTime: new Date(entry.time).toISOString() }));
  const body = make("p", { className: "text", textContent: entry.text });
  item.append(avatar(entry.from), make("div", { className: "bubble" }, head, body));
  if (entry.state === "pending") item.lastChild.append(make("p", { className: "fate", textContent: "sending…" }));
  if (entry.state === "failed") item.lastChild.append(make("p", { className: "fate", textContent: `Not sent: ${entry.error}` }));
  return item;
}

function showPeople(people, me, write) {
  element("count").textContent = people.length || "";
  element("people").replaceChildren(...people.map((name) => {
    const label = name === me ? `${name} (you)` : name;
    const button = make("button", { type: "button", disabled: name === me, onclick: () => write(name) },
      avatar(name), make("span", { className: "name", textContent: label }));
    if (name !== me) button.title = `Write to ${name}`;
    return make("li", {}, button);
  }));
}
