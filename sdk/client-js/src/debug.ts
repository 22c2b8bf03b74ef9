import type { Item } from "./core/outbox.js";
import type { Message } from "./core/wire.js";
import type { Off } from "./emitter.js";

/** What the panel looks at: a client. */
export interface Watched {
  readonly state: { readonly state: string; readonly reason: string };
  readonly session: { readonly id: string; readonly user: string };
  readonly transport: string;
  readonly rooms: readonly {
    readonly name: string;
    readonly state: { readonly state: string; readonly reason: string };
    readonly offset: number | undefined;
  }[];
  readonly outbox: readonly Item[];
  on(event: "state" | "outbox", listener: () => void): Off;
  on(event: "message", listener: (message: Message) => void): Off;
}

/** So many messages are shown. */
const SHOWN = 20;

/** What the panel shows. */
interface Shown {
  readonly title: string;
  readonly rows: readonly string[];
}

/** Puts a panel over the page: the client's state, its rooms, its outbox and the last messages. Returns what removes it. */
export function showPanel(client: Watched): () => void {
  const panel = document.createElement("div");
  panel.setAttribute("data-sluice", "debug");
  panel.style.cssText =
    "position:fixed;right:8px;bottom:8px;z-index:2147483647;width:360px;max-height:60vh;overflow:auto;padding:8px 12px;" +
    "border-radius:6px;background:#111c;color:#eee;font:12px/1.5 ui-monospace,monospace;box-shadow:0 2px 12px #0008";
  document.body.append(panel);
  const messages: Message[] = [];
  const draw = () => panel.replaceChildren(...look(client, messages).map(section));
  const offs = [
    client.on("state", draw),
    client.on("outbox", draw),
    client.on("message", (message) => {
      messages.unshift(message);
      messages.length = Math.min(messages.length, SHOWN);
      draw();
    }),
  ];
  draw();
  return () => {
    for (const off of offs) off();
    panel.remove();
  };
}

function look(client: Watched, messages: readonly Message[]): Shown[] {
  const { state, reason } = client.state;
  const { id, user } = client.session;
  return [
    { title: `${state} (${reason}) by ${client.transport}`, rows: [`session ${id}, user ${user}`] },
    {
      title: "rooms",
      rows: client.rooms.map(
        ({ name, state, offset }) => `${name}: ${state.state} (${state.reason}) at ${offset ?? "–"}`,
      ),
    },
    {
      title: "outbox",
      rows: client.outbox.map(
        ({ id, room, event, sent }) => `${room} ${event} ${sent === undefined ? "waits" : "sent"} ${id}`,
      ),
    },
    {
      title: "messages",
      rows: messages.map(({ event, data, meta }) => `${meta.room ?? "direct"} ${event} ${brief(data)}`),
    },
  ];
}

const brief = (data: unknown) => (JSON.stringify(data) ?? "").slice(0, 80);

function section({ title, rows }: Shown): HTMLElement {
  const section = document.createElement("section");
  const head = document.createElement("b");
  head.textContent = title;
  const lines = rows.map((row) => {
    const line = document.createElement("div");
    line.textContent = row;
    return line;
  });
  section.append(head, ...lines);
  return section;
}
