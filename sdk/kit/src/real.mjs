import { Gateway } from "../../../tests/client/support/gateway.mjs";
import { cluster, kept, room } from "../../../tests/client/support/documents.mjs";
import { Driver } from "./driver.mjs";
import { Network } from "./network.mjs";

/** Rooms whose history holds little. */
const short = room("short", "short-*", { history: { maxMessages: 3, maxAge: "1h" } });

/** A real gateway, and the scenario's clients: each `near` it, or `far`, by a network that steps can cut. */
export async function setReal(stage, { clients }, command) {
  stage.gateway = await Gateway.start([cluster(), kept, short]);
  stage.network = await Network.to(stage.gateway.port);
  for (const [name, place] of Object.entries(clients)) {
    const driver = new Driver(command);
    stage.drivers.set(name, driver);
    const token = stage.gateway.token(name);
    const url = place === "far" ? stage.network.url : stage.gateway.wsUrl;
    driver.does({ do: "new", url, tokens: Array(50).fill(token) });
  }
}
