// Grafana's JSON from short descriptions: a dashboard is rows of panels, a panel is queries with legends.

/** What picks the gateways that are shown, in every query. */
export const GATEWAYS = 'namespace=~"$namespace", sluice_dev_cluster=~"$cluster"';

/** The window of a rate. */
export const WINDOW = "[$__rate_interval]";

const DATASOURCE = { type: "prometheus", uid: "${datasource}" };
const WIDTH = 24;
const HEIGHT = { stat: 4, timeseries: 8 };

/** `rate` of a counter of the gateways, summed by labels; `where` are further matchers. */
export function rate(metric, { by = [], where = "" } = {}) {
  return sum(`rate(${metric}{${matchers(where)}}${WINDOW})`, by);
}

/** A gauge of the gateways, summed by labels. */
export function total(metric, { by = [], where = "" } = {}) {
  return sum(`${metric}{${matchers(where)}}`, by);
}

/** A quantile of a histogram of the gateways. */
export function quantile(q, metric, by = []) {
  return `histogram_quantile(${q}, sum by (${["le", ...by].join(", ")}) (rate(${metric}_bucket{${GATEWAYS}}${WINDOW})))`;
}

const matchers = (where) => (where ? `${GATEWAYS}, ${where}` : GATEWAYS);
const sum = (inner, by) => (by.length ? `sum by (${by.join(", ")}) (${inner})` : `sum(${inner})`);

/** A number: `queries` is one query. */
export const stat = (title, description, query, { unit = "short", width = 4, thresholds = [] } = {}) =>
  ({ type: "stat", title, description, unit, width, thresholds, queries: { "": query } });

/** Lines over time: `queries` by legend. */
export const lines = (title, description, queries, { unit = "short", width = 12, stacked = false } = {}) =>
  ({ type: "timeseries", title, description, unit, width, stacked, queries });

/** A dashboard of `rows`: `[title, panels]`. */
export function dashboard({ uid, title, description, rows }) {
  return {
    uid: `sluice-${uid}`,
    title: `Sluice / ${title}`,
    description,
    tags: ["sluice"],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    timezone: "browser",
    links: [{ type: "dashboards", title: "Sluice", tags: ["sluice"], asDropdown: true, includeVars: true, keepTime: true }],
    templating: { list: variables() },
    panels: layout(rows),
  };
}

function variables() {
  const query = (name, label, text) => ({
    name, label, type: "query", datasource: DATASOURCE, query: { query: text, refId: name }, definition: text,
    refresh: 2, includeAll: true, multi: true, allValue: ".*", current: { text: ["All"], value: ["$__all"] }, sort: 1,
  });
  return [
    { name: "datasource", label: "Data source", type: "datasource", query: "prometheus", current: {} },
    query("namespace", "Namespace", "label_values(sluice_connections, namespace)"),
    query("cluster", "RealtimeCluster", 'label_values(sluice_connections{namespace=~"$namespace"}, sluice_dev_cluster)'),
  ];
}

/** Panels from left to right and from top to bottom. */
function layout(rows) {
  const panels = [];
  let y = 0;
  for (const [title, inside] of rows) {
    panels.push({ type: "row", title, id: panels.length + 1, collapsed: false, panels: [], gridPos: { x: 0, y, w: WIDTH, h: 1 } });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const one of inside) {
      if (x + one.width > WIDTH) [x, y, tallest] = [0, y + tallest, 0];
      const h = HEIGHT[one.type];
      panels.push(panel(one, panels.length + 1, { x, y, w: one.width, h }));
      x += one.width;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  return panels;
}

function panel({ type, title, description, unit, queries, stacked, thresholds = [] }, id, gridPos) {
  const steps = [{ color: "green", value: null }, ...thresholds.map(([value, color]) => ({ color, value }))];
  return {
    type, id, title, description, gridPos, datasource: DATASOURCE,
    targets: Object.entries(queries).map(([legendFormat, expr], n) => ({
      refId: String.fromCharCode(65 + n), datasource: DATASOURCE, expr, legendFormat, instant: type === "stat", range: type !== "stat",
    })),
    fieldConfig: {
      defaults: {
        unit, min: 0, thresholds: { mode: "absolute", steps },
        ...(type === "timeseries" && { custom: { drawStyle: "line", fillOpacity: stacked ? 30 : 5, showPoints: "never", stacking: { mode: stacked ? "normal" : "none" } } }),
      },
      overrides: [],
    },
    options: type === "stat"
      ? { colorMode: "value", graphMode: "none", reduceOptions: { calcs: ["lastNotNull"] } }
      : { legend: { displayMode: "table", placement: "right", calcs: ["lastNotNull", "max"] }, tooltip: { mode: "multi", sort: "desc" } },
  };
}
