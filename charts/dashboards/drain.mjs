import { GATEWAYS, dashboard, lines, rate, stat, total } from "./grafana.mjs";

const BY_POD = ["namespace", "pod"];
const POD = "{{namespace}}/{{pod}}";
const draining = `(sluice_connections{${GATEWAYS}} and on (namespace, pod) (sluice_draining{${GATEWAYS}} == 1))`;

export const drain = dashboard({
  uid: "drain",
  title: "Drain and rollout",
  description: "Connections that move from one gateway to another, and how their clients come back.",
  rows: [
    ["Now", [
      stat("Draining gateways", "Gateways whose connections are being moved.", total("sluice_draining")),
      stat("Connections to move", "Open connections of the gateways that drain.", `sum(${draining})`),
      stat("Moved", "Connections closed by a drain, a second.", rate("sluice_connections_closed_total", { where: 'cause="drain"' }), { unit: "ops" }),
      stat("Recovered", "The share of clients that came back with a session and go on with it.",
        `${rate("sluice_recoveries_total", { where: 'outcome="recovered"' })} / ${rate("sluice_recoveries_total")}`, { unit: "percentunit" }),
      stat("Away", "Sessions whose clients are away.", total("sluice_sessions_detached")),
    ]],
    ["Drain", [
      lines("Connections", "Of each gateway: a rollout moves them from the old to the new.", { [POD]: total("sluice_connections", { by: BY_POD }) }, { stacked: true }),
      lines("Connections by revision", "A rollout ends when the old revision has none.", { "{{sluice_dev_revision}}": total("sluice_connections", { by: ["sluice_dev_revision"] }) }, { stacked: true }),
      lines("Draining", "1 while a gateway drains.", { [POD]: total("sluice_draining", { by: BY_POD }) }),
      lines("Moved", "Connections closed by a drain at each gateway, a second. All that drain share drain.connectionsPerSecond.", {
        [POD]: rate("sluice_connections_closed_total", { by: BY_POD, where: 'cause="drain"' }),
      }, { unit: "ops" }),
      lines("Arrivals", "Sessions that got a connection at each gateway, a second.", { [POD]: rate("sluice_connections_opened_total", { by: BY_POD }) }, { unit: "ops" }),
    ]],
    ["How clients come back", [
      lines("Recoveries", "Of clients that came back with a session, a second.", { "{{outcome}}": rate("sluice_recoveries_total", { by: ["outcome"] }) }, { unit: "ops" }),
      lines("Away", "Sessions without a connection, of each gateway.", { [POD]: total("sluice_sessions_detached", { by: BY_POD }) }),
      lines("Turned away", "Clients refused because a gateway drains or is full, a second.", {
        "{{code}}": `sum by (code) (rate(sluice_errors_total{${GATEWAYS}, code=~"draining|gateway_full|overloaded"}[$__rate_interval]))`,
      }, { unit: "ops" }),
      lines("Lost without a close", "Connections that ended by a broken network, or that fell silent, a second.", {
        "{{cause}}": rate("sluice_connections_closed_total", { by: ["cause"], where: 'cause=~"lost|heartbeat"' }),
      }, { unit: "ops" }),
    ]],
  ],
});
