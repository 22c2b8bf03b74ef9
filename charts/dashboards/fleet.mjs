import { GATEWAYS, dashboard, lines, quantile, rate, stat, total } from "./grafana.mjs";

const BY_POD = ["namespace", "pod"];
const POD = "{{namespace}}/{{pod}}";

export const fleet = dashboard({
  uid: "fleet",
  title: "Fleet",
  description: "Connections, messages and refusals of the gateways.",
  rows: [
    ["Now", [
      stat("Connections", "Client connections that are open.", total("sluice_connections")),
      stat("Gateways", "Gateways that are scraped.", `count(sluice_connections{${GATEWAYS}})`),
      stat("Fullest gateway", "Its share of the connections that it takes.",
        `max(sluice_connections{${GATEWAYS}} / sluice_connections_limit{${GATEWAYS}})`, { unit: "percentunit", thresholds: [[0.8, "orange"], [0.95, "red"]] }),
      stat("Deliveries", "Messages handed to connections, a second.", rate("sluice_messages_delivered_total"), { unit: "ops" }),
      stat("Latency, p99", "From a message's acceptance until it is written to all members.", quantile(0.99, "sluice_delivery_latency_seconds"), { unit: "s", thresholds: [[0.1, "orange"], [0.5, "red"]] }),
      stat("Refusals", "What clients asked for and did not get, a second.", rate("sluice_errors_total"), { unit: "ops" }),
    ]],
    ["Connections", [
      lines("Connections", "Open connections of each gateway.", { [POD]: total("sluice_connections", { by: BY_POD }) }, { stacked: true }),
      lines("Connections opened", "Sessions that got a connection at each gateway, a second.", { [POD]: rate("sluice_connections_opened_total", { by: BY_POD }) }, { unit: "ops" }),
      lines("Connections closed", "By cause, a second; docs/close-codes.md says what they are.", { "{{cause}}": rate("sluice_connections_closed_total", { by: ["cause"] }) }, { unit: "ops" }),
      lines("Sessions", "Sessions, and those that are kept for clients who are away.", {
        all: total("sluice_sessions"),
        away: total("sluice_sessions_detached"),
      }),
      lines("Sockets", "TCP connections accepted, refused for want of room, and broken off in the handshake, a second.", {
        accepted: rate("sluice_sockets_accepted_total"),
        refused: rate("sluice_sockets_refused_total"),
        "handshake failed": rate("sluice_handshakes_failed_total"),
      }, { unit: "ops" }),
      lines("Tokens", "What became of the tokens of clients, a second.", { "{{outcome}}": rate("sluice_auth_total", { by: ["outcome"] }) }, { unit: "ops" }),
    ]],
    ["Messages", [
      lines("Messages", "Published by clients, and handed to connections, a second.", {
        published: rate("sluice_messages_published_total"),
        delivered: rate("sluice_messages_delivered_total"),
      }, { unit: "ops" }),
      lines("Delivery latency", "From a message's acceptance until it is written to all members.", {
        p50: quantile(0.5, "sluice_delivery_latency_seconds"),
        p95: quantile(0.95, "sluice_delivery_latency_seconds"),
        p99: quantile(0.99, "sluice_delivery_latency_seconds"),
      }, { unit: "s" }),
      lines("Given up", "For slow clients, and operations refused because their session was too fast, a second.", {
        "messages dropped": rate("sluice_messages_dropped_total"),
        "slow clients closed": rate("sluice_slow_consumers_total"),
        "too fast": rate("sluice_messages_throttled_total"),
      }, { unit: "ops" }),
      lines("Waiting", "Bytes in outbound queues of each gateway.", { [POD]: total("sluice_queue_bytes", { by: BY_POD }) }, { unit: "bytes" }),
      lines("Traffic with clients", "Without TLS and HTTP heads.", {
        received: rate("sluice_received_bytes_total"),
        sent: rate("sluice_sent_bytes_total"),
      }, { unit: "Bps" }),
      lines("Frames a write", "How many frames leave together.", { frames: `${rate("sluice_sent_frames_total")} / ${rate("sluice_writes_total")}` }),
    ]],
    ["Refusals and documents", [
      lines("Refusals", "By code, a second; docs/errors.md says what they mean.", { "{{code}}": rate("sluice_errors_total", { by: ["code"] }) }, { unit: "ops" }),
      lines("Documents", "The revision that each gateway works by, over NATS, and how often documents took hold.", {
        [`${POD} revision`]: `max by (namespace, pod) (sluice_policy_revision{${GATEWAYS}})`,
        [`${POD} changes`]: `max by (namespace, pod) (sluice_policy_generation{${GATEWAYS}})`,
      }),
      lines("Documents refused", "A second.", { [POD]: rate("sluice_policy_refused_total", { by: BY_POD }) }, { unit: "ops" }),
    ]],
    ["Server API and backends", [
      lines("Server API", "Requests by operation and outcome, a second.", { "{{operation}} {{outcome}}": rate("sluice_api_requests_total", { by: ["operation", "outcome"] }) }, { unit: "ops" }),
      lines("Server API, p99", "From a request's head to its answer.", { "{{operation}}": quantile(0.99, "sluice_api_request_duration_seconds", ["operation"]) }, { unit: "s" }),
      lines("Webhook", "Requests to it by outcome, a second.", { "{{kind}} {{outcome}}": rate("sluice_webhook_requests_total", { by: ["kind", "outcome"] }) }, { unit: "ops" }),
      lines("Webhook, p99", "Until its answer was there, all tries together.", { "{{kind}}": quantile(0.99, "sluice_webhook_request_duration_seconds", ["kind"]) }, { unit: "s" }),
      lines("Backend over NATS", "Requests to it by outcome, a second.", { "{{kind}} {{outcome}}": rate("sluice_nats_backend_requests_total", { by: ["kind", "outcome"] }) }, { unit: "ops" }),
      lines("Backend over NATS, p99", "Until its answer was there.", { "{{kind}}": quantile(0.99, "sluice_nats_backend_request_duration_seconds", ["kind"]) }, { unit: "s" }),
      lines("Backend", "Events for it, requests that wait for it, gateways that leave the webhook alone because it fails, and ended sessions that it was not told of.", {
        "events a second": rate("sluice_backend_events_total"),
        "webhook: waiting": total("sluice_webhook_requests_in_flight"),
        "webhook: left alone": total("sluice_webhook_circuit_open"),
        "webhook: not told, a second": rate("sluice_webhook_disconnects_dropped_total"),
        "NATS: waiting": total("sluice_nats_backend_requests_in_flight"),
        "NATS: not told, a second": rate("sluice_nats_backend_disconnects_dropped_total"),
      }),
    ]],
  ],
});
