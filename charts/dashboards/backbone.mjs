import { GATEWAYS, dashboard, lines, rate, stat, total } from "./grafana.mjs";

const BY_POD = ["namespace", "pod"];
const POD = "{{namespace}}/{{pod}}";

export const backbone = dashboard({
  uid: "backbone",
  title: "Backbone",
  description: "What goes between the gateways over NATS. Gateways on the memory backbone are not among these figures.",
  rows: [
    ["Now", [
      stat("Connected", "The share of gateways with a connection to NATS.", `avg(sluice_backbone_connected{${GATEWAYS}})`, { unit: "percentunit" }),
      stat("Gateways known", "The fewest gateways that a gateway knows of, itself included.", `min(sluice_backbone_gateways{${GATEWAYS}})`),
      stat("Stored", "Messages of rooms with history that were stored, a second.", rate("sluice_backbone_messages_total", { where: 'fate="published"' }), { unit: "ops" }),
      stat("Repaired", "Messages that were missed and read from the stream, a second.", rate("sluice_backbone_messages_total", { where: 'fate="repaired"' }), { unit: "ops" }),
      stat("Lost", "Messages that were gone when they were missed, in all.", total("sluice_backbone_messages_total", { where: 'fate="lost"' }), { thresholds: [[1, "red"]] }),
      stat("Waiting to be stored", "Messages without an answer from JetStream.", total("sluice_backbone_unstored_messages"), { thresholds: [[100, "orange"], [1000, "red"]] }),
    ]],
    ["Messages of rooms with history", [
      lines("Fates", "A second; docs/operations.md says what each is.", { "{{fate}}": rate("sluice_backbone_messages_total", { by: ["fate"] }) }, { unit: "ops" }),
      lines("Waiting to be stored", "At each gateway.", { [POD]: total("sluice_backbone_unstored_messages", { by: BY_POD }) }),
      lines("Stored sessions", "Sessions of each gateway that would go on elsewhere if it died.", { [POD]: total("sluice_backbone_stored_sessions", { by: BY_POD }) }),
      lines("Subscriptions", "Subjects that each gateway subscribes to.", { [POD]: total("sluice_backbone_subscriptions", { by: BY_POD }) }),
    ]],
    ["Traffic with NATS", [
      lines("Messages", "A second.", {
        received: rate("sluice_backbone_received_messages_total"),
        sent: rate("sluice_backbone_sent_messages_total"),
      }, { unit: "ops" }),
      lines("Bytes", "A second.", {
        received: rate("sluice_backbone_received_bytes_total"),
        sent: rate("sluice_backbone_sent_bytes_total"),
      }, { unit: "Bps" }),
      lines("Waiting to be written", "Bytes, at each gateway.", { [POD]: total("sluice_backbone_waiting_bytes", { by: BY_POD }) }, { unit: "bytes" }),
      lines("Not sent, not understood, not answered", "Messages dropped, malformed news of other gateways, and commands without an answer in time, a second.", {
        dropped: rate("sluice_backbone_dropped_total"),
        malformed: rate("sluice_backbone_malformed_total"),
        silent: rate("sluice_backbone_silent_total"),
      }, { unit: "ops" }),
    ]],
    ["Connections and gateways", [
      lines("Connected", "1 while a gateway is connected, for messages and for documents.", {
        [`${POD} messages`]: `min by (namespace, pod) (sluice_backbone_connected{${GATEWAYS}})`,
        [`${POD} documents`]: `min by (namespace, pod) (sluice_control_connected{${GATEWAYS}})`,
      }),
      lines("Connects", "Connections to NATS that each gateway made, a second.", { [POD]: rate("sluice_backbone_connects_total", { by: BY_POD }) }, { unit: "ops" }),
      lines("Gateways known", "Gateways of the fleet that each of them knows, itself included.", { [POD]: `max by (namespace, pod) (sluice_backbone_gateways{${GATEWAYS}})` }),
      lines("Passed on", "Polling requests passed on to the gateway that owns their session, by kind, and failures by reason, a second.", {
        "{{kind}}": rate("sluice_forwarded_requests_total", { by: ["kind"] }),
        "failed: {{reason}}": rate("sluice_forwarding_failures_total", { by: ["reason"] }),
      }, { unit: "ops" }),
      lines("Tunnels", "WebSocket connections passed on between gateways, now, and opened a second.", {
        now: total("sluice_tunnels"),
        "opened a second": rate("sluice_tunnels_opened_total"),
      }),
    ]],
  ],
});
