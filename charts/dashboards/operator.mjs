import { WINDOW, dashboard, lines, stat } from "./grafana.mjs";

/** The operator looks after many namespaces, and is in none of those that are chosen above. */
const rate = (metric, by) => `sum by (${by.join(", ")}) (rate(${metric}${WINDOW}))`;
const quantile = (q) => `histogram_quantile(${q}, sum by (le, kind) (rate(sluice_operator_reconcile_seconds_bucket${WINDOW})))`;

export const operator = dashboard({
  uid: "operator",
  title: "Operator",
  description: "What the operator does, for all namespaces and RealtimeClusters.",
  rows: [
    ["Now", [
      stat("Leaders", "Operators that work: one, while others stand by.", "sum(sluice_operator_leader)", { thresholds: [[2, "red"]] }),
      stat("Stalled", "RealtimeClusters and Rooms that wait for a person; their conditions say why.", "sum(sluice_operator_stalled)", { thresholds: [[1, "orange"]] }),
      stat("Writes", "To the API server, a second. There are none while nothing changes.", `sum(rate(sluice_operator_writes_total${WINDOW}))`, { unit: "ops" }),
      stat("Objects", "That are watched.", "sum(sluice_operator_objects)"),
    ]],
    ["Work", [
      lines("Reconciliations", "By kind and outcome, a second.", { "{{kind}} {{outcome}}": rate("sluice_operator_reconciliations_total", ["kind", "outcome"]) }, { unit: "ops" }),
      lines("Duration of a reconciliation, p99", "By kind.", { "{{kind}}": quantile(0.99) }, { unit: "s" }),
      lines("Writes", "To the API server by kind and verb, a second.", { "{{kind}} {{verb}}": rate("sluice_operator_writes_total", ["kind", "verb"]) }, { unit: "ops" }),
      lines("Documents", "Given to gateways over NATS by outcome, a second.", { "{{outcome}}": rate("sluice_operator_policy_pushes_total", ["outcome"]) }, { unit: "ops" }),
      lines("Stalled", "Resources that wait for a person, by kind.", { "{{kind}}": "sum by (kind) (sluice_operator_stalled)" }),
      lines("Objects", "That are watched, by kind.", { "{{kind}}": "max by (kind) (sluice_operator_objects)" }),
    ]],
  ],
});
