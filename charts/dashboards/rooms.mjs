import { GATEWAYS, dashboard, lines, rate, stat, total } from "./grafana.mjs";

const BY_POD = ["namespace", "pod"];
const POD = "{{namespace}}/{{pod}}";
const share = (q) => `histogram_quantile(${q}, sum by (le) (sluice_room_members_bucket{${GATEWAYS}}))`;

export const rooms = dashboard({
  uid: "rooms",
  title: "Rooms",
  description: "Rooms, their members, what is published to them and what they keep. A room counts once at each gateway where it has members.",
  rows: [
    ["Now", [
      stat("Rooms", "Rooms with members or messages, at each gateway.", total("sluice_rooms")),
      stat("Memberships", "Sessions in rooms, one for each room.", total("sluice_room_memberships")),
      stat("Publications", "Messages that clients publish, a second.", rate("sluice_messages_published_total"), { unit: "ops" }),
      stat("Members a message", "Deliveries for each message that a client publishes.",
        `${rate("sluice_messages_delivered_total")} / ${rate("sluice_messages_published_total")}`),
      stat("Kept messages", "Messages in the histories that gateways hold.", total("sluice_history_messages")),
      stat("Memory of histories", "Roughly.", total("sluice_history_bytes"), { unit: "bytes" }),
    ]],
    ["Rooms", [
      lines("Rooms", "Of each gateway.", { [POD]: total("sluice_rooms", { by: BY_POD }) }),
      lines("Memberships", "Of each gateway.", { [POD]: total("sluice_room_memberships", { by: BY_POD }) }),
      lines("Room sizes", "Members of a room at one gateway: half of all rooms, 95 and 99 of a hundred have at most so many.", {
        p50: share(0.5), p95: share(0.95), p99: share(0.99),
      }),
      lines("Histories", "Messages that each gateway holds.", { [POD]: total("sluice_history_messages", { by: BY_POD }) }),
    ]],
    ["Messages", [
      lines("Publications", "Of clients, a second: accepted, and sent again under the same id.", {
        accepted: rate("sluice_messages_published_total"),
        "sent again": rate("sluice_messages_duplicate_total"),
      }, { unit: "ops" }),
      lines("Deliveries", "At each gateway, a second.", { [POD]: rate("sluice_messages_delivered_total", { by: BY_POD }) }, { unit: "ops" }),
      lines("Recoveries", "What became of clients that came back with a session, a second: recovered; gone (what they missed is no longer kept); unknown (no such session).", {
        "{{outcome}}": rate("sluice_recoveries_total", { by: ["outcome"] }),
      }, { unit: "ops" }),
      lines("Refusals in rooms", "Joins and publications that rules, schemas or limits refuse, by code, a second.", {
        "{{code}}": rate("sluice_errors_total", { by: ["code"], where: 'code=~"access_.*|room_.*|schema_.*|not_a_member|rate_limited|message_too_large|event_.*|presence_disabled|no_history|history_gone"' }),
      }, { unit: "ops" }),
    ]],
  ],
});
