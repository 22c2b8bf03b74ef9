import type { Gateway } from "../link/gateway.js";
import { type ConnectRequest, parseConnectJson } from "./connect.js";
import type { Core } from "./core.js";

/** What a list can say of a session beside its id and user. */
export type ListField = "rooms" | "data" | "handshake";

/** A session as a list tells of it: what was not asked for is empty. */
export type Listed = ConnectRequest;

/** How many sessions a page has. */
const PAGE = 500;

/** Asks every gateway that is there who is selected, page by page, and gives each page as it comes. */
export async function* listPages(core: Core, selector: string, fields: readonly ListField[]): AsyncGenerator<Listed[]> {
  for (const gateway of [...core.link.openGateways()]) {
    let after: string | undefined;
    for (;;) {
      const { sessions, more } = await askPage(core, gateway, selector, { fields, after, limit: PAGE });
      if (sessions.length > 0) yield sessions;
      after = sessions.at(-1)?.session;
      if (!more || after === undefined) break;
    }
  }
}

interface Page {
  readonly sessions: Listed[];
  readonly more: boolean;
}

/** One page of one gateway. One that ends meanwhile has no more sessions. */
function askPage(core: Core, gateway: Gateway, selector: string, question: object): Promise<Page> {
  return new Promise((resolve, reject) => {
    const end = (page: Page) => {
      core.calls.remove(call);
      resolve(page);
    };
    const call = core.calls.add(
      {
        page: (_gateway, sessions, more) => end({ sessions: sessions.map(parseListed).filter((one) => !!one), more }),
        done: () => end({ sessions: [], more: false }),
        failed: (_gateway, code, message) => {
          core.calls.remove(call);
          reject(new Error(`The gateway ${gateway.id} does not list its sessions (${code}): ${message}`));
        },
      },
      [gateway],
    );
    core.ask(gateway, "list", [call], [selector, JSON.stringify(question)]);
  });
}

function parseListed(value: unknown): Listed | undefined {
  return value !== null && typeof value === "object"
    ? parseConnectJson({ namespace: "/", ...(value as Record<string, unknown>) })
    : undefined;
}
