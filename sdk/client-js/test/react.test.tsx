import { Window } from "happy-dom";
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

const window = new Window();
Object.defineProperty(globalThis, "navigator", { value: window.navigator, configurable: true });
Object.assign(globalThis, { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: true });

const { act, StrictMode } = await import("react");
const { createRoot } = await import("react-dom/client");
const { renderToString } = await import("react-dom/server");
const { SluiceProvider, useHistory, usePresence, useRoom, useStatus } = await import("../src/react.js");
const { playConnected, play } = await import("./support/played.js");

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Renders in strict mode, and returns the text of what is shown. */
async function show(client: any, element: React.ReactNode) {
  const place = document.createElement("div");
  const root = createRoot(place);
  const render = (what: React.ReactNode) =>
    act(async () =>
      root.render(
        <StrictMode>
          <SluiceProvider client={client}>{what}</SluiceProvider>
        </StrictMode>,
      ),
    );
  await render(element);
  ends.push(() => act(() => root.unmount()));
  return { text: () => place.textContent, render };
}

function Status() {
  const { state, reason } = useStatus();
  return `${state}/${reason}`;
}

test("on the server nothing connects", () => {
  const { client, gateway } = play();
  const text = renderToString(
    <SluiceProvider client={client}>
      <Status />
    </SluiceProvider>,
  );
  assert.equal(text, "disconnected/new");
  assert.equal(gateway.links.length, 0);
});

test("the status follows the client", async () => {
  const { client, gateway } = await playConnected();
  const { text } = await show(client, <Status />);
  assert.equal(text(), "connected/connected");
  await act(() => gateway.link.close_(1006));
  assert.equal(text(), "connecting/lost");
});

function Listener({ onMessage }: { onMessage(data: unknown): void }) {
  const { state } = useRoom("r", { message: onMessage });
  return state.state;
}

test("two components share a room in strict mode, and the last of them leaves it", async () => {
  const { client, clock, gateway } = await playConnected();
  const got: unknown[] = [];
  const listener = <Listener onMessage={(data) => got.push(data)} />;
  const { text, render } = await show(client, [<div key="1">{listener}</div>, <div key="2">{listener}</div>]);
  await clock.advance(1_000);
  assert.deepEqual([gateway.link.count("join"), gateway.link.count("leave")], [1, 0]);
  await act(() => gateway.link.answer("join", { room: "r", offset: 0 }));
  assert.equal(text(), "joinedjoined");
  await act(() => gateway.link.message("r", 1));
  assert.deepEqual(got, [1, 1]);
  await render(<Status />);
  await clock.advance(1_000);
  assert.equal(gateway.link.count("leave"), 1);
});

function Present() {
  return usePresence("r").users.join(",");
}

test("presence is shown", async () => {
  const { client, gateway } = await playConnected();
  const { text } = await show(client, <Present />);
  await act(() => gateway.link.answer("join", { room: "r", offset: 0 }));
  await act(() => gateway.link.answer("presence", { users: ["bob", "ann"], count: 2 }));
  assert.equal(text(), "ann,bob");
});

function Messages() {
  return useHistory("r", { limit: 2 })
    .messages.map(({ data }) => data)
    .join(",");
}

test("a history is shown with what comes, each message once", async () => {
  const { client, gateway } = await playConnected();
  const { text } = await show(client, <Messages />);
  await act(() => gateway.link.answer("join", { room: "r", epoch: "e1", offset: 1 }));
  await act(() => gateway.link.message("r", "two", 2));
  const message = (offset: number, data: string) => ({
    event: "message",
    data,
    meta: { room: "r", id: `m${offset}`, offset, time: 0 },
  });
  await act(() =>
    gateway.link.answer("history", { messages: [message(1, "one"), message(2, "two")], epoch: "e1", truncated: false }),
  );
  assert.equal(text(), "one,two");
});

test("the panel shows the state, the rooms, what waits and the last messages", async () => {
  const { client, gateway } = await playConnected();
  client.room("r").on("message", () => {});
  const off = await client.debug();
  await gateway.link.message("r", "hello", 1);
  const panel = document.querySelector("[data-sluice]");
  assert.match(panel?.textContent ?? "", /connected.*rooms.*r: joining.*outbox.*messages.*r message "hello"/);
  off();
  assert.equal(document.querySelector("[data-sluice]"), null);
});
