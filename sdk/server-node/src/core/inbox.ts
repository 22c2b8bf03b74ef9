import { parseObject } from "../link/beats/beat.js";
import type { Gateway } from "../link/gateway.js";
import { type Entry, field, numberField } from "../stream/entry.js";
import { decodeArgs } from "./args.js";
import type { Attached, Session } from "./attached.js";
import type { Calls } from "./calls.js";
import { type ConnectRequest, parseConnect, textsOf } from "./connect.js";

/** What the inbox needs of the rest. */
export interface InboxPort {
  readonly attached: Attached;
  readonly calls: Calls;
  connect(gateway: Gateway, handle: string, request: ConnectRequest): void;
  /** Something could not be done for which nobody waits. */
  failed(code: string, message: string): void;
}

type Handler = (port: InboxPort, gateway: Gateway, entry: Entry) => void;

/** For an entry that is about a session: one that is not attached any more is skipped. */
function forSession(then: (session: Session, entry: Entry) => void): Handler {
  return ({ attached }, gateway, entry) => {
    const session = attached.get(gateway, field(entry, 0) ?? "");
    if (session) then(session, entry);
  };
}

const json = (entry: Entry): Record<string, any> => (entry.bodies[0] && parseObject(entry.bodies[0])) ?? {};

function gone(session: Session, entry: Entry): void {
  const { reason, cause } = json(entry);
  session.gone(typeof reason === "string" ? reason : "transport close", typeof cause === "string" ? cause : undefined);
}

const HANDLERS: Record<string, Handler> = {
  connect(port, gateway, entry) {
    const handle = field(entry, 0);
    const request = parseConnect(entry.bodies[0]);
    if (handle && request) port.connect(gateway, handle, request);
  },
  event: forSession((session, entry) => {
    const args = decodeArgs(entry.bodies);
    if (args) session.event(args, field(entry, 1), field(entry, 2) === "repeated");
  }),
  rooms: forSession((session, entry) => {
    const { joined, left } = json(entry);
    session.roomsChanged(textsOf(joined), textsOf(left));
  }),
  data: forSession((session, entry) => session.dataChanged(json(entry), numberField(entry, 1) ?? 0)),
  transport: forSession((session, entry) => session.upgraded(String(json(entry).transport))),
  error: forSession((session, entry) => session.malformed(String(json(entry).message))),
  gone: forSession(gone),
  cancel: forSession(gone),
  fence: forSession((session) => session.fence()),
  detach: forSession((session) => session.detach()),
  answer({ calls }, gateway, entry) {
    const args = decodeArgs(entry.bodies);
    if (args) calls.get(numberField(entry, 0) ?? 0)?.answer?.(gateway, field(entry, 1) ?? "", args);
  },
  count({ calls }, gateway, entry) {
    calls.get(numberField(entry, 0) ?? 0)?.count?.(gateway, numberField(entry, 1) ?? 0);
  },
  done({ calls }, gateway, entry) {
    calls.get(numberField(entry, 0) ?? 0)?.done?.(gateway, textsOf(json(entry).missing));
  },
  page({ calls }, gateway, entry) {
    calls.get(numberField(entry, 0) ?? 0)?.page?.(gateway, parseArray(entry.bodies[0]), field(entry, 1) === "1");
  },
  failed(port, gateway, entry) {
    const { code, message } = json(entry);
    const call = port.calls.get(numberField(entry, 0) ?? 0);
    if (call) call.failed?.(gateway, String(code), String(message));
    else port.failed(String(code), String(message));
  },
};

/** Does what an entry says. One whose kind is not known is skipped, and said to be so. */
export function takeEntry(port: InboxPort, gateway: Gateway, entry: Entry): boolean {
  const handler = Object.hasOwn(HANDLERS, entry.kind) ? HANDLERS[entry.kind] : undefined;
  handler?.(port, gateway, entry);
  return handler !== undefined;
}

function parseArray(bytes: Buffer | undefined): unknown[] {
  try {
    const value = JSON.parse(bytes?.toString() ?? "");
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
