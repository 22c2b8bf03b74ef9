import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const CHART = new URL("../../../charts/sluice/", import.meta.url);

/** The path of the alerts. */
export const ALERTS = fileURLToPath(new URL("alerts/alerts.yaml", CHART));

/** What Grafana puts in place of its variables. */
const VALUES = { $__rate_interval: "15s", $namespace: ".*", $cluster: ".*" };

/** The dashboards of the chart. */
export function dashboards() {
  const folder = new URL("dashboards/", CHART);
  return readdirSync(folder).filter((name) => name.endsWith(".json")).map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")));
}

/** Every query of every panel, as `{name, query}`. */
export function panelQueries() {
  return dashboards().flatMap(({ title, panels }) =>
    panels.flatMap((panel) => (panel.targets ?? []).map(({ expr, legendFormat }) => ({
      name: `${title}: ${panel.title}${legendFormat ? ` (${legendFormat})` : ""}`,
      query: Object.entries(VALUES).reduce((text, [name, value]) => text.replaceAll(name, value), expr),
    }))));
}

/** Every `label_values(metric, label)` of the dashboards' variables, as `{name, label, match}`. */
export function variables() {
  return dashboards().flatMap(({ title, templating }) => templating.list.filter(({ type }) => type === "query").map((variable) => {
    const [, match, label] = /^label_values\((.*), (\w+)\)$/.exec(variable.query.query);
    return { name: `${title}: ${variable.name}`, label, match: match.replaceAll("$namespace", ".*") };
  }));
}

/** An alert's expression without its last comparison: what it watches. */
export function watched(query) {
  const bare = query.replace(/\s*(>|<|>=|<=|==|!=)\s*(bool\s+)?-?[\d.e+]+\s*$/, "");
  if (bare === query) throw new Error(`the alert does not end with a comparison with a number: ${query}`);
  return bare;
}
