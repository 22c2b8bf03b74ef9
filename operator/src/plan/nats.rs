//! The NATS servers that the operator runs for a cluster.

mod config;
mod keys;

use serde_json::{Value, json};
use sluice_crds::{Durability, OnDelete, cluster::ManagedNats};

pub use self::keys::Keys;
pub(crate) use self::keys::{FORMER_BACKEND, Needed, application_of, application_user};
use super::{
    Cluster, Inputs, Planned,
    names::NATS,
    object, pod,
    secrets::{LOGIN, URL, secret},
    services::port,
    set,
};
use crate::{Kind, digest};

/// Where servers take clients.
pub(crate) const CLIENTS: u16 = 4222;

/// Where servers take each other.
pub(super) const ROUTES: u16 = 6222;

/// Where servers say how they are.
pub(super) const MONITOR: u16 = 8222;

/// How long a server that goes lets its clients leave, in seconds.
const LAME_DUCK: u32 = 30;

/// How long Kubernetes waits for it: with a moment before, while others are told, and one after.
const GRACE: u32 = LAME_DUCK + 30;

pub(super) fn plan(inputs: &Inputs<'_>) -> Vec<Planned> {
    let Some(wanted) = inputs.cluster.managed_nats() else {
        return Vec::new();
    };
    vec![
        configuration(inputs, wanted),
        service(inputs.cluster),
        servers(inputs, wanted),
    ]
}

/// The Secrets of servers and of those who log in, each with no more than its reader needs.
pub(super) fn secrets(inputs: &Inputs<'_>) -> Vec<Planned> {
    let cluster = inputs.cluster;
    let Some(wanted) = cluster.managed_nats() else {
        return Vec::new();
    };
    let keys = &inputs.keys.nats;
    let login = |name: &str, (user, password): (&str, &str), more: &[(&str, &str)]| {
        let url = urls(cluster, wanted.replicas, (user, password));
        let mut texts = vec![(URL, url.as_str()), ("user", user), ("password", password)];
        texts.extend(more);
        secret(cluster, cluster.names().nats_login(name), NATS, &texts)
    };
    let access = config::access(cluster, wanted.replicas, keys);
    let [gateway, operator, backend, routes] = keys.named();
    let applications: Vec<_> = keys.of_applications().collect();
    let mut servers = vec![
        (config::ACCESS, access.as_str()),
        gateway,
        operator,
        backend,
        routes,
    ];
    servers.extend(applications.iter().map(|(user, key)| (user.as_str(), *key)));
    let former = keys.former.iter();
    servers.extend(former.map(|(user, key)| (user.as_str(), key.as_str())));
    let servers = secret(
        cluster,
        cluster.names().nats_login("servers"),
        NATS,
        &servers,
    );
    let wanted = keys.applications.iter();
    let wanted = wanted.map(|(name, password)| {
        let user = application_user(name);
        login(&user, (&user, password), &[])
    });
    // A gateway of 0.1.0 knows only the URL; one that knows the login takes that first.
    let own = format!("{}:{}", gateway.0, gateway.1);
    let url = keys.former_or(keys::FORMER_GATEWAY, gateway);
    [
        servers,
        login("gateway", url, &[(LOGIN, &own)]),
        login("operator", operator, &[]),
        login(
            "backend",
            keys.former_or(keys::FORMER_BACKEND, backend),
            &[],
        ),
    ]
    .into_iter()
    .chain(wanted)
    .collect()
}

/// Where the operator finds the servers, and how it logs in.
pub(crate) fn operator_urls(cluster: &Cluster, wanted: &ManagedNats, keys: &Keys) -> String {
    // Servers may not have started anew yet since they were told of another.
    let login = keys.former_or(keys::FORMER_OPERATOR, (keys::OPERATOR, &keys.operator));
    urls(cluster, wanted.replicas, login)
}

/// Where the servers are, and who connects.
fn urls(cluster: &Cluster, replicas: u32, (user, password): (&str, &str)) -> String {
    let (name, namespace) = (cluster.names().nats(), &cluster.namespace);
    let url = |n| format!("nats://{user}:{password}@{name}-{n}.{name}.{namespace}.svc:{CLIENTS}");
    (0..replicas).map(url).collect::<Vec<_>>().join(",")
}

fn configuration(inputs: &Inputs<'_>, wanted: &ManagedNats) -> Planned {
    let cluster = inputs.cluster;
    let body = json!({"data": {config::FILE: server_configuration(inputs, wanted)}});
    object(cluster, Kind::ConfigMap, cluster.names().nats(), NATS, body)
}

/// Servers that are not ready have names too: they need each other to become it.
fn service(cluster: &Cluster) -> Planned {
    let body = json!({"spec": {
        "type": "ClusterIP",
        "clusterIP": "None",
        "publishNotReadyAddresses": true,
        "selector": cluster.names().selector(NATS),
        "ports": [port("nats", CLIENTS, "nats"), port("routes", ROUTES, "routes"), port("monitor", MONITOR, "monitor")],
    }});
    object(cluster, Kind::Service, cluster.names().nats(), NATS, body)
}

fn servers(inputs: &Inputs<'_>, wanted: &ManagedNats) -> Planned {
    let cluster = inputs.cluster;
    let kept = match wanted.on_delete {
        OnDelete::Keep => "Retain",
        OnDelete::Drop => "Delete",
    };
    let mut annotations = json!({"sluice.dev/configuration": configured(inputs, wanted)});
    if chosen(inputs, wanted) == Durability::Disk {
        annotations[DURABILITY] = json!(Durability::Disk);
    }
    let body = json!({"spec": {
        "replicas": wanted.replicas,
        "serviceName": cluster.names().nats(),
        // Servers need each other to elect a leader.
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "RollingUpdate"},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": kept, "whenScaled": "Retain"},
        "selector": {"matchLabels": cluster.names().selector(NATS)},
        "template": {
            "metadata": {
                "labels": cluster.names().labels(NATS),
                "annotations": annotations,
            },
            "spec": server(inputs, wanted),
        },
        "volumeClaimTemplates": [claim(wanted)],
    }});
    object(
        cluster,
        Kind::StatefulSet,
        cluster.names().nats(),
        NATS,
        body,
    )
}

/// Changes when servers must start anew to work by their configuration.
fn configured(inputs: &Inputs<'_>, wanted: &ManagedNats) -> String {
    let access = config::access(inputs.cluster, wanted.replicas, &inputs.keys.nats);
    digest(&(server_configuration(inputs, wanted), access))
}

fn server_configuration(inputs: &Inputs<'_>, wanted: &ManagedNats) -> String {
    let payload = inputs.cluster.largest_message();
    config::servers(wanted, payload, LAME_DUCK, chosen(inputs, wanted))
}

/// The annotation of servers that have what they acknowledge on their disks. Those of 0.1.0 have
/// none, and do not.
const DURABILITY: &str = "sluice.dev/durability";

/// How the servers keep what they acknowledge: as the user says, or as those do that are there.
fn chosen(inputs: &Inputs<'_>, wanted: &ManagedNats) -> Durability {
    let chosen = wanted.durability.or(inputs.durability);
    chosen.unwrap_or_else(|| Durability::of_new(wanted.replicas))
}

/// How servers keep it whose `StatefulSet` has this spec.
pub(crate) fn durability(spec: &Value) -> Durability {
    let annotations = spec.pointer("/template/metadata/annotations");
    match annotations.and_then(|all| all.get(DURABILITY)) {
        Some(_) => Durability::Disk,
        None => Durability::Quorum,
    }
}

fn claim(wanted: &ManagedNats) -> Value {
    let mut spec = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": wanted.storage}},
    });
    if let Some(class) = &wanted.storage_class_name {
        set(&mut spec, "storageClassName", class.as_str().into());
    }
    json!({"metadata": {"name": "data"}, "spec": spec})
}

/// A server waits on a dead node for as long as Kubernetes keeps it there: it is not replaced before
/// its pod is gone for good, which only its node or a person can say, so to evict it sooner would
/// only have a server started anew that a network kept apart for a while.
fn server(inputs: &Inputs<'_>, wanted: &ManagedNats) -> Value {
    let cluster = inputs.cluster;
    let names = cluster.names();
    json!({
        "serviceAccountName": names.nats(),
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": GRACE,
        "securityContext": pod::security(),
        "affinity": pod::apart(&names.selector(NATS)),
        "containers": [container(inputs, wanted)],
        "volumes": [
            {"name": "configuration", "configMap": {"name": names.nats()}},
            {"name": "access", "secret": {"secretName": names.nats_login("servers"), "items": [{"key": config::ACCESS, "path": config::ACCESS}], "defaultMode": pod::SECRET_MODE}},
            {"name": "run", "emptyDir": {}},
        ],
    })
}

fn container(inputs: &Inputs<'_>, wanted: &ManagedNats) -> Value {
    let image = wanted.image.as_ref().unwrap_or(&inputs.images.nats);
    json!({
        "name": "nats",
        "image": image,
        "args": ["--config", format!("/etc/nats/{}", config::FILE), "--pid", PID],
        "env": [{"name": "SERVER_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "ports": [
            {"name": "nats", "containerPort": CLIENTS, "protocol": "TCP"},
            {"name": "routes", "containerPort": ROUTES, "protocol": "TCP"},
            {"name": "monitor", "containerPort": MONITOR, "protocol": "TCP"},
        ],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}},
        "securityContext": pod::container_security(),
        "startupProbe": probe("/healthz", 2, 90),
        "readinessProbe": probe("/healthz?js-server-only=true", 5, 3),
        "livenessProbe": probe("/healthz?js-enabled-only=true", 10, 6),
        // The server tells its clients to leave, lets them, and ends.
        "lifecycle": {"preStop": {"exec": {"command": ["nats-server", format!("--signal=ldm={PID}")]}}},
        "volumeMounts": [
            {"name": "configuration", "mountPath": "/etc/nats", "readOnly": true},
            {"name": "access", "mountPath": "/etc/nats-access", "readOnly": true},
            {"name": "data", "mountPath": "/data"},
            {"name": "run", "mountPath": "/run/nats"},
        ],
    })
}

/// Where a server notes the process that is told to go.
const PID: &str = "/run/nats/nats.pid";

fn probe(path: &str, period: u32, failures: u32) -> Value {
    json!({
        "httpGet": {"path": path, "port": "monitor", "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    })
}

/// How many servers must work for anything to be stored.
pub(crate) const fn majority(replicas: u32) -> u32 {
    replicas / 2 + 1
}
