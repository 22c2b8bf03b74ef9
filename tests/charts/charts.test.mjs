import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ApiServer } from "./support/apiserver.mjs";
import { MONITORING } from "./support/foreign.mjs";

const path = (below) => fileURLToPath(new URL(`../../${below}`, import.meta.url));
const CHART = path("charts/sluice");
const CRDS = path("charts/sluice-crds");
const NAMESPACE = "sluice-system";
const OPERATOR = `system:serviceaccount:${NAMESPACE}:sluice`;

/** Everything that can be turned on. */
const EVERYTHING = [
  "--set=dashboards.create=true", "--set=alerts.create=true",
  "--set=metrics.podMonitor.create=true", "--set=metrics.serviceMonitor.create=true",
  "--set=priorityClassName=system-cluster-critical", "--set=podLabels.team=chat", "--set=podAnnotations.a=b", "--set=nodeSelector.disk=fast",
  "--set=imagePullSecrets[0].name=pull", "--set=tolerations[0].operator=Exists", "--set=serviceAccount.annotations.a=b",
  "--set=networkPolicy.metricsFrom[0].namespaceSelector.matchLabels.name=monitoring",
  "--set=topologySpreadConstraints[0].maxSkew=1", "--set=topologySpreadConstraints[0].topologyKey=zone", "--set=topologySpreadConstraints[0].whenUnsatisfiable=DoNotSchedule",
];

test("the chart's custom resources are those of the types", () => {
  for (const file of readdirSync(path("crds/yaml"))) {
    const [made, chart] = ["crds/yaml", "charts/sluice-crds/files"].map((folder) => readFileSync(path(`${folder}/${file}`), "utf8"));
    assert.ok(made === chart, `charts/sluice-crds/files/${file} is not what crds/yaml has; run: cp crds/yaml/*.yaml charts/sluice-crds/files/`);
  }
});

test("the chart's dashboards are those of their sources", () => {
  execFileSync(path("charts/dashboards/generate"), ["--check"], { stdio: "pipe" });
});

describe("on a real API server", () => {
  let server;
  before(async () => {
    server = await ApiServer.start();
    await server.kubectl(["create", "namespace", NAMESPACE]);
    await server.kubectl(["label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted"]);
    for (const name of ["shop", "games"]) await server.kubectl(["create", "namespace", name]);
  });
  after(() => server?.stop());

  const upgrade = (...settings) => server.helm("upgrade", "--install", "sluice", CHART, "-n", NAMESPACE, ...settings);
  const deployment = async () => JSON.parse(await server.kubectl(["get", "deployment", "-n", NAMESPACE, "sluice", "-o", "json"]));

  test("helm finds no fault in the charts", async () => {
    await server.helm("lint", "--strict", CRDS);
    await server.helm("lint", "--strict", CHART, ...EVERYTHING);
  });

  test("values that are wrong are refused", async () => {
    for (const wrong of ["replicas=many", "image.tagg=1", "log.format=xml", "watchNamespace=Not_A_Name", "metrics.podMonitor.interval=often", "image.digest=abc", "unknown=1"]) {
      await assert.rejects(server.helm("template", "sluice", CHART, `--set=${wrong}`), /values don't meet the specifications/, wrong);
    }
  });

  test("the custom resources are installed, and stay when their release goes", async () => {
    await server.helm("upgrade", "--install", "sluice-crds", CRDS, "-n", NAMESPACE);
    await server.kubectl(["wait", "--for=condition=Established", "crd/realtimeclusters.sluice.dev", "crd/rooms.sluice.dev", "--timeout=60s"]);
    await server.helm("uninstall", "sluice-crds", "-n", NAMESPACE);
    await server.kubectl(["get", "crd", "realtimeclusters.sluice.dev", "rooms.sluice.dev"]);
  });

  test("custom resources that are there already are taken over, and go if they are not to be kept", async () => {
    await server.helm("upgrade", "--install", "sluice-crds", CRDS, "-n", NAMESPACE, "--take-ownership", "--set=keep=false");
    await server.helm("uninstall", "sluice-crds", "-n", NAMESPACE, "--wait");
    assert.equal(await server.kubectl(["get", "crd", "-o", "name", "--ignore-not-found", "rooms.sluice.dev"]), "");
    await server.helm("upgrade", "--install", "sluice-crds", CRDS, "-n", NAMESPACE);
  });

  test("the chart is installed with its usual values", async () => {
    await upgrade();
    const { spec } = await deployment();
    assert.equal(spec.replicas, 2);
    const [{ args, image }] = spec.template.spec.containers;
    const [, appVersion] = /^appVersion: (.*)$/m.exec(await server.helm("show", "chart", CHART));
    assert.equal(image, `sluice/sluice-operator:${appVersion}`);
    assert.ok(args.includes(`--gateway-image=sluice/sluice-gateway:${appVersion}`), args.join(" "));
  });

  test("an operator on a dead node is replaced after half a minute, unless the values say when", async () => {
    const patience = (spec) => Object.fromEntries(spec.template.spec.tolerations.map(({ key, tolerationSeconds }) => [key ?? "", tolerationSeconds]));
    const [notReady, unreachable] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
    assert.deepEqual(patience((await deployment()).spec), { [notReady]: 30, [unreachable]: 30 });
    await upgrade(`--set=tolerations[0].key=${unreachable}`, "--set=tolerations[0].operator=Exists", "--set=tolerations[0].effect=NoExecute", "--set=tolerations[0].tolerationSeconds=5");
    assert.deepEqual(patience((await deployment()).spec), { [unreachable]: 5, [notReady]: 30 });
    await upgrade("--set=tolerations[0].operator=Exists");
    assert.deepEqual((await deployment()).spec.template.spec.tolerations, [{ operator: "Exists" }]);
    await upgrade();
  });

  test("its pods pass the restricted Pod Security Standard", async () => {
    const { metadata, spec } = (await deployment()).spec.template;
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "one", namespace: NAMESPACE, labels: metadata.labels }, spec };
    await server.kubectl(["create", "-f", "-"], JSON.stringify(pod));
    const rooted = structuredClone(pod);
    rooted.metadata.name = "two";
    rooted.spec.containers[0].securityContext.allowPrivilegeEscalation = true;
    await assert.rejects(server.kubectl(["create", "-f", "-"], JSON.stringify(rooted)), /violates PodSecurity/);
    await server.kubectl(["delete", "pod", "-n", NAMESPACE, "one", "--force", "--grace-period=0"]);
  });

  test("the operator may do what fleets need, and no more", async () => {
    for (const [verb, resource] of [
      ["watch", "realtimeclusters.sluice.dev"], ["patch", "rooms.sluice.dev/status"], ["create", "deployments.apps"],
      ["patch", "statefulsets.apps"], ["delete", "services"], ["get", "secrets"], ["patch", "pods"], ["create", "events.events.k8s.io"],
    ]) assert.ok(await server.can(OPERATOR, verb, resource, "shop"), `${verb} ${resource}`);
    for (const [verb, resource] of [
      ["list", "secrets"], ["watch", "secrets"], ["create", "pods"], ["create", "pods/exec"], ["create", "clusterroles"], ["create", "rolebindings"],
      ["patch", "nodes"], ["delete", "namespaces"], ["delete", "pods"], ["patch", "realtimeclusters.sluice.dev"], ["create", "serviceaccounts/token"], ["delete", "realtimeclusters.sluice.dev"], ["impersonate", "users"],
    ]) assert.ok(!(await server.can(OPERATOR, verb, resource, "shop")), `${verb} ${resource}`);
    assert.ok(await server.can(OPERATOR, "create", "leases.coordination.k8s.io", NAMESPACE));
    assert.ok(!(await server.can(OPERATOR, "create", "leases.coordination.k8s.io", "shop")));
  });

  test("its rights are those of the documentation", async () => {
    const rules = async (kind, name, ...rest) => JSON.parse(await server.kubectl(["get", kind, name, ...rest, "-o", "json"])).rules;
    const given = [...await rules("clusterrole", "sluice"), ...await rules("role", "sluice-leader", "-n", NAMESPACE)];
    assert.deepEqual(flat(given), flat(documented()));
  });

  test("everything that can be turned on is", async () => {
    await server.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: MONITORING }));
    await server.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"]);
    await upgrade(...EVERYTHING, "--set=alerts.runbooks=https://example.com/runbooks/");
    const rule = JSON.parse(await server.kubectl(["get", "prometheusrule", "-n", NAMESPACE, "sluice", "-o", "json"]));
    const rules = rule.spec.groups.flatMap((group) => group.rules);
    assert.ok(rules.length >= 20, `${rules.length} alerts`);
    for (const { alert, annotations } of rules) assert.equal(annotations.runbook_url, `https://example.com/runbooks/${alert}.md`);
    const maps = JSON.parse(await server.kubectl(["get", "configmaps", "-n", NAMESPACE, "-l", "grafana_dashboard=1", "-o", "json"])).items;
    const titles = maps.flatMap(({ data }) => Object.values(data)).map((text) => JSON.parse(text).title);
    assert.deepEqual(titles.sort(), ["Sluice / Backbone", "Sluice / Drain and rollout", "Sluice / Fleet", "Sluice / Operator", "Sluice / Rooms"]);
  });

  test("with one namespace, the operator may do nothing elsewhere", async () => {
    await upgrade("--set=watchNamespace=shop");
    assert.ok(await server.can(OPERATOR, "create", "deployments.apps", "shop"));
    assert.ok(!(await server.can(OPERATOR, "create", "deployments.apps", "games")));
    assert.ok(!(await server.can(OPERATOR, "list", "realtimeclusters.sluice.dev")));
    assert.ok(!(await server.can(OPERATOR, "list", "nodes")));
    const [{ args }] = (await deployment()).spec.template.spec.containers;
    assert.ok(args.includes("--watch-namespace=shop"), args.join(" "));
  });

  test("nothing stays when the release goes", async () => {
    await upgrade(...EVERYTHING);
    await server.helm("uninstall", "sluice", "-n", NAMESPACE);
    const kinds = "all,configmap,serviceaccount,role,rolebinding,clusterrole,clusterrolebinding,networkpolicy,poddisruptionbudget,podmonitor,servicemonitor,prometheusrule";
    const left = await server.kubectl(["get", kinds, "-A", "-l", "app.kubernetes.io/instance=sluice", "-o", "name"]);
    assert.equal(left, "");
  });
});

/** Rights as sorted lines, `group resource verb`. */
function flat(rules) {
  const lines = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${group} ${resource} ${verb}`))));
  return [...new Set(lines)].sort();
}

/** The rights of the operator as docs/operator.md lists them. */
function documented() {
  const [, table] = /### Rights\n\n([\s\S]*?)\n\n/.exec(readFileSync(path("docs/operator.md"), "utf8"));
  return table.split("\n").slice(2).map((row) => {
    const [, group, resources, verbs] = row.split("|").map((cell) => cell.trim());
    return {
      apiGroups: [group === "core" ? "" : group.replaceAll("`", "")],
      resources: [...resources.matchAll(/`([^`]+)`/g)].map(([, name]) => name),
      verbs: verbs.replace(/[;:(].*$/, "").split(",").map((verb) => verb.trim()),
    };
  });
}
