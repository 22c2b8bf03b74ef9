/**
 * Sluice in React. Safe in strict mode, and on the server, where nothing connects.
 *
 * @packageDocumentation
 */
import {
  createContext,
  createElement,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import type { Client, ClientState } from "./client.js";
import type { Message } from "./core/wire.js";
import type { Room, RoomState } from "./room.js";

export type { Client, ClientState, Message, Room, RoomState };

type AnyClient = Client<any>;

const Context = createContext<AnyClient | undefined>(undefined);

/** Gives a client to the components below it. Whoever made the client ends it. */
export function SluiceProvider({ client, children }: { readonly client: AnyClient; readonly children?: ReactNode }) {
  return createElement(Context.Provider, { value: client }, children);
}

/** The client of the provider above. */
export function useClient<Rooms = any>(): Client<Rooms> {
  const client = useContext(Context);
  if (!client) throw new Error("there is no client; put <SluiceProvider client={…}> around the component");
  return client;
}

const ON_THE_SERVER: ClientState = { state: "disconnected", reason: "new" };

/** The state of the client, and why it is in it. */
export function useStatus(): ClientState {
  const client = useClient();
  const current = useSame(() => client.state);
  return useSyncExternalStore(
    (changed) => client.on("state", changed),
    current,
    () => ON_THE_SERVER,
  );
}

/** What is done with the messages of a room, by their events. It may be another object each time. */
export type Handlers = Readonly<Record<string, (data: any, message: Message) => void>>;

/** Is in a room for as long as the component is there, and calls the handlers with its messages. */
export function useRoom(name: string, handlers: Handlers = {}): { readonly room: Room; readonly state: RoomState } {
  const room = useClient().room(name) as Room;
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => room.onMessage((message) => latest.current[message.event]?.(message.data, message)), [room]);
  const current = useSame(() => room.state);
  const state = useSyncExternalStore(
    (changed) => room.onState(changed),
    current,
    () => OUTSIDE,
  );
  return { room, state };
}

const OUTSIDE: RoomState = { state: "unsubscribed", reason: "new" };

/** Who is in a room, kept up to date. */
export function usePresence(name: string): { readonly users: readonly string[]; readonly count: number } {
  const room = useClient().room(name) as Room;
  const [present, setPresent] = useState<{ users: readonly string[]; count: number }>({ users: [], count: 0 });
  useEffect(() => {
    const presence = room.presence();
    const off = presence.onChange(({ users, count }) => setPresent({ users, count }));
    return () => {
      off();
      presence.close();
    };
  }, [room]);
  return present;
}

/** What {@link useHistory} has. */
export interface History {
  /** The oldest first. */
  readonly messages: readonly Message[];
  /** Whether older messages may be there. */
  readonly more: boolean;
  /** Why the history could not be read. */
  readonly error: unknown;
  /** Reads older messages. */
  loadMore(): void;
}

/** The newest messages of a room, and those that come; read anew where some were missed. */
export function useHistory(name: string, { limit = 50 }: { readonly limit?: number } = {}): History {
  const room = useClient().room(name) as Room;
  const [messages, setMessages] = useState<readonly Message[]>([]);
  const [more, setMore] = useState(false);
  const [error, setError] = useState<unknown>();
  const actions = useMemo(() => ({ load: (_before?: number) => {}, oldest: undefined as number | undefined }), []);

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    actions.load = (before) => {
      const read = async () => {
        const page: Message[] = [];
        const part = before === undefined ? {} : { before };
        for await (const message of room.history({ limit, signal, ...part })) page.unshift(message as Message);
        setMessages((held) => merge(page, held));
        setMore(page.length === limit);
      };
      read().catch((failure) => signal.aborted || setError(failure));
    };
    setMessages([]);
    const offMessage = room.onMessage((message) => setMessages((held) => merge(held, [message as Message])));
    const offState = room.onState(({ recovered }) => {
      if (recovered !== false) return;
      setMessages([]);
      actions.load();
    });
    actions.load();
    return () => {
      controller.abort();
      offMessage();
      offState();
    };
  }, [room, limit, actions]);

  return { messages, more, error, loadMore: () => actions.load(messages[0]?.meta.offset) };
}

/** Two parts of a history as one, each message once. */
function merge(before: readonly Message[], after: readonly Message[]): readonly Message[] {
  const all = new Map([...before, ...after].map((message) => [message.meta.id, message]));
  return [...all.values()].sort((a, b) => (a.meta.offset ?? 0) - (b.meta.offset ?? 0));
}

/** The same object as before where it says the same, as React wants it. */
function useSame<T>(get: () => T): () => T {
  const held = useRef<{ text: string; value: T }>(undefined);
  return () => {
    const value = get();
    const text = JSON.stringify(value);
    if (held.current?.text !== text) held.current = { text, value };
    return held.current?.value ?? value;
  };
}
