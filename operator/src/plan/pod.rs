//! The pod of a gateway.

mod tolerations;
mod volumes;

use std::time::Duration;

use serde_json::{Value, json};
use sluice_crds::RealtimeClusterSpec;

use super::{
    Cluster, Inputs, json_of,
    names::{CLUSTER, GATEWAY, REVISION, SERVING},
    secrets::URL,
    set,
};

/// Where a gateway takes clients.
pub(super) const CLIENTS: u16 = 3000;

/// Where a gateway has its server API.
pub(crate) const API: u16 = 3001;

/// Where a gateway says how it is.
pub(super) const OPS: u16 = 3002;

/// Who may read a mounted Secret: its owner and its group.
pub(super) const SECRET_MODE: u32 = 0o440;

/// A user that no image has a name for.
const USER: u32 = 65_532;

/// How long a pod that must go still takes connections before it is told, in seconds: until no
/// proxy sends it any.
const PRE_STOP: u64 = 5;

/// How long a gateway may take after its deadline, for its last answers and news, in seconds.
const FAREWELL: u64 = 10;

/// How long Kubernetes waits for a gateway to end, in seconds: as long as a drain may take, and
/// what comes before and after.
pub(super) fn grace(spec: &RealtimeClusterSpec) -> u64 {
    let deadline: Duration = spec.drain.deadline.into();
    let deadline = deadline.as_secs() + u64::from(deadline.subsec_nanos() > 0);
    PRE_STOP + deadline + FAREWELL
}

/// Where an affinity says what pods are to be kept apart from.
const OTHERS: &str = "podAntiAffinity";

/// How it says what is only preferred.
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Where a pod's spec selects other pods to be placed by, and the labels of each.
const SELECTING: [(&[&str], &str); 2] = [
    (&["topologySpreadConstraints"], "/labelSelector/matchLabels"),
    (
        &["affinity", OTHERS, PREFERRED],
        "/podAffinityTerm/labelSelector/matchLabels",
    ),
];

/// The template without the label of its revision.
pub(super) fn template(inputs: &Inputs<'_>) -> Value {
    let cluster = inputs.cluster;
    let mut metadata = json!({
        "labels": json_of(&cluster.spec.gateway.pod_labels),
        "annotations": json_of(&cluster.spec.gateway.pod_annotations),
    });
    let own = cluster.names().labels(GATEWAY);
    for (key, value) in own.as_object().into_iter().flatten() {
        metadata["labels"][key] = value.clone();
    }
    metadata["labels"][SERVING] = "true".into();
    metadata["annotations"]["sluice.dev/restart"] = restart(&cluster.spec).into();
    json!({"metadata": metadata, "spec": spec(inputs)})
}

/// The template with the label of its revision.
pub(super) fn labelled(mut template: Value, revision: &str) -> Value {
    template["metadata"]["labels"][REVISION] = revision.into();
    // Only gateways of one revision are to be spread: those of others are about to go.
    for (list, selector) in SELECTING {
        let spec = template.get_mut("spec");
        let list = list
            .iter()
            .fold(spec, |value, key| value.and_then(|it| it.get_mut(*key)));
        let items = list.and_then(Value::as_array_mut);
        for item in items.into_iter().flatten() {
            narrow(item.pointer_mut(selector), revision);
        }
    }
    template
}

/// Has one that selects the gateways of a cluster select those of one revision.
fn narrow(labels: Option<&mut Value>, revision: &str) {
    let labels = labels.and_then(Value::as_object_mut);
    if let Some(labels) = labels.filter(|labels| labels.contains_key(CLUSTER)) {
        labels.insert(REVISION.to_owned(), revision.into());
    }
}

/// Changes with what a gateway takes at its start only. How the operator runs NATS servers is
/// nothing to the gateways.
fn restart(spec: &RealtimeClusterSpec) -> String {
    let nats = spec.backbone.as_ref().and_then(|it| it.nats.as_ref());
    crate::digest(&(
        &spec.tls,
        nats.map(|nats| &nats.external),
        &spec.observability.otlp_endpoint,
        spec.gateway.workers,
        spec.gateway.compression,
    ))
}

fn spec(inputs: &Inputs<'_>) -> Value {
    let cluster = inputs.cluster;
    let gateway = &cluster.spec.gateway;
    let mut spec = json!({
        "serviceAccountName": cluster.names().gateways(),
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": grace(&cluster.spec),
        "securityContext": security(),
        "containers": [container(inputs)],
        "volumes": volumes::volumes(cluster),
    });
    let spread = json_of(&gateway.topology_spread_constraints);
    set(&mut spec, "topologySpreadConstraints", spread);
    set(
        &mut spec,
        "imagePullSecrets",
        json_of(&gateway.image_pull_secrets),
    );
    set(&mut spec, "nodeSelector", json_of(&gateway.node_selector));
    let tolerations = tolerations::tolerations(&gateway.tolerations);
    set(&mut spec, "tolerations", tolerations);
    set(&mut spec, "affinity", affinity(cluster));
    set(
        &mut spec,
        "priorityClassName",
        json_of(&gateway.priority_class_name),
    );
    spec
}

fn container(inputs: &Inputs<'_>) -> Value {
    let cluster = inputs.cluster;
    let gateway = &cluster.spec.gateway;
    let mut container = json!({
        "name": "gateway",
        "image": gateway.image.as_ref().unwrap_or(&inputs.images.gateway),
        "env": environment(inputs),
        "ports": [
            {"name": "clients", "containerPort": CLIENTS, "protocol": "TCP"},
            {"name": "api", "containerPort": API, "protocol": "TCP"},
            {"name": "ops", "containerPort": OPS, "protocol": "TCP"},
        ],
        "securityContext": container_security(),
        // It has heard its fleet before it gets its first client.
        "startupProbe": probe("/readyz", 1, 60),
        // Ready while it drains: a label says who gets new connections, and a Deployment that
        // shrinks removes first what is not ready, whoever is still there.
        "readinessProbe": probe("/livez", 2, 2),
        "livenessProbe": probe("/livez", 10, 3),
        "lifecycle": {"preStop": {"sleep": {"seconds": PRE_STOP}}},
        "volumeMounts": volumes::mounts(cluster),
    });
    let resources = match &gateway.resources {
        Some(resources) => json_of(resources),
        None => json!({"requests": {"cpu": "100m", "memory": "128Mi"}}),
    };
    set(&mut container, "resources", resources);
    container
}

fn environment(inputs: &Inputs<'_>) -> Value {
    let cluster = inputs.cluster;
    let mut environment = vec![
        json!({"name": "SLUICE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}),
        json!({"name": "SLUICE_CONFIG", "value": volumes::DOCUMENTS}),
        json!({"name": "SLUICE_SECRETS", "value": volumes::SECRETS}),
        json!({"name": "SLUICE_OPERATOR_KEY_FILE", "value": volumes::operator_key()}),
        json!({"name": "SLUICE_LOG_FORMAT", "value": "json"}),
    ];
    if cluster.managed_nats().is_some() {
        let login = json!({"name": cluster.names().nats_login("gateway"), "key": URL});
        environment.push(json!({"name": "SLUICE_NATS_URL", "valueFrom": {"secretKeyRef": login}}));
        let file = volumes::nats_login();
        environment.push(json!({"name": "SLUICE_NATS_LOGIN_FILE", "value": file}));
    }
    environment.into()
}

fn probe(path: &str, period: u32, failures: u32) -> Value {
    json!({
        "httpGet": {"path": path, "port": "ops", "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 2,
        "failureThreshold": failures,
    })
}

/// What the Pod Security Standard `restricted` asks of a pod.
pub(super) fn security() -> Value {
    json!({
        "runAsNonRoot": true,
        "runAsUser": USER,
        "runAsGroup": USER,
        "fsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    })
}

/// What it asks of a container.
pub(super) fn container_security() -> Value {
    json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "runAsNonRoot": true,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    })
}

/// What the user says of it; where that says nothing of other pods, gateways are kept apart.
fn affinity(cluster: &Cluster) -> Value {
    let gateway = &cluster.spec.gateway;
    let mut affinity = json_of(&gateway.affinity);
    let says = affinity.get(OTHERS).is_some_and(|it| !it.is_null());
    if gateway.topology_spread_constraints.is_empty() && !says {
        affinity[OTHERS] = apart(&cluster.names().selector(GATEWAY))[OTHERS].take();
    }
    affinity
}

/// On nodes and in zones that have as few of these pods as possible. Unlike topology spread
/// constraints, which a scheduler ignores where nodes lack one of several labels, this counts on
/// clusters without zones too.
pub(super) fn apart(selector: &Value) -> Value {
    let over = |key: &str| {
        let term = json!({"topologyKey": key, "labelSelector": {"matchLabels": selector}});
        json!({"weight": 100, "podAffinityTerm": term})
    };
    let terms = [
        over("kubernetes.io/hostname"),
        over("topology.kubernetes.io/zone"),
    ];
    json!({OTHERS: {PREFERRED: terms}})
}
