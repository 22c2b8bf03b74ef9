//! What the plan is, in full, for several clusters: a change of any field shows here.
//!
//! Run with `SLUICE_GOLDEN=write` to accept what is.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::PathBuf};

use serde_json::Value;
use sluice_crds::{Durability, Source, load};
use sluice_operator::Kind;
use sluice_operator::plan::{self, Apis, Cluster, Images, Inputs, Keys, NatsKeys};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/plan")
}

fn keys() -> Keys {
    Keys {
        operator: "operator-key".to_owned(),
        nats: NatsKeys {
            gateway: "gateway-password".to_owned(),
            operator: "operator-password".to_owned(),
            backend: "backend-password".to_owned(),
            routes: "routes-password".to_owned(),
            ..NatsKeys::default()
        },
    }
}

fn cluster(name: &str) -> Cluster {
    let text = fs::read_to_string(folder().join(format!("{name}.yaml"))).unwrap();
    let source = Source { name, text: &text };
    let cluster = load(&[source]).unwrap().cluster;
    Cluster {
        name: cluster.metadata.name.unwrap(),
        namespace: "default".to_owned(),
        uid: "8f7c1a52-0000-4000-8000-000000000000".to_owned(),
        spec: cluster.spec,
    }
}

fn images() -> Images {
    Images {
        gateway: "sluice/gateway:0.1.0".to_owned(),
        nats: "nats:2.15".to_owned(),
    }
}

fn planned(cluster: &Cluster, apis: Apis) -> String {
    let (images, keys) = (images(), keys());
    let inputs = Inputs {
        cluster,
        documents: "the documents\n",
        keys: &keys,
        images: &images,
        apis,
        operator_namespace: "sluice-system",
        durability: None,
    };
    let mut objects = plan::plan(&inputs);
    objects.push(plan::deployment(&inputs, cluster.spec.gateway.replicas));
    let texts = objects
        .iter()
        .map(|object| serde_saphyr::to_string(&object.value).unwrap());
    texts.collect::<Vec<_>>().join("---\n")
}

/// Asserts that the plan for the cluster is what its golden file says.
fn golden(name: &str, apis: Apis) {
    let planned = planned(&cluster(name), apis);
    let file = folder().join(format!("{name}.golden.yaml"));
    if std::env::var_os("SLUICE_GOLDEN").is_some() {
        fs::write(&file, &planned).unwrap();
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        planned,
        golden,
        "see {}; SLUICE_GOLDEN=write accepts it",
        file.display()
    );
}

const ALL: Apis = Apis {
    http_route: true,
    pod_monitor: true,
};

#[test]
fn one_gateway_by_itself_needs_little() {
    golden("memory", Apis::default());
}

#[test]
fn a_fleet_has_nats_servers_of_its_own() {
    golden("managed", Apis::default());
}

#[test]
fn every_field_finds_its_place() {
    golden("everything", ALL);
}

#[test]
fn what_others_bring_is_made_only_where_it_is() {
    let planned = planned(&cluster("everything"), Apis::default());
    assert!(!planned.contains("HTTPRoute") && !planned.contains("PodMonitor"));
}

/// The revision of the cluster's pods after a change.
fn revision(change: impl FnOnce(&mut Cluster)) -> String {
    let mut cluster = cluster("managed");
    change(&mut cluster);
    let images = Images {
        gateway: "gateway".to_owned(),
        nats: "nats".to_owned(),
    };
    plan::revision(&Inputs {
        cluster: &cluster,
        documents: "",
        keys: &keys(),
        images: &images,
        apis: ALL,
        operator_namespace: "sluice-system",
        durability: None,
    })
}

#[test]
fn policy_changes_without_new_pods() {
    let before = revision(|_| {});
    assert_eq!(before.len(), 10);
    let hot = revision(|cluster| {
        let spec = &mut cluster.spec;
        spec.origins = vec!["https://example.com".to_owned()];
        spec.limits.messages_per_second = 7;
        spec.namespaces.push("/admin".to_owned());
        spec.gateway.max_connections = 100;
        spec.gateway.replicas = 9;
        spec.drain.connections_per_second = 3;
        spec.service.port = 8080;
        spec.rollout.max_surge = serde_json::from_str("1").unwrap();
    });
    assert_eq!(hot, before);
}

#[test]
fn what_is_taken_at_the_start_makes_a_new_revision() {
    let before = revision(|_| {});
    assert_ne!(
        revision(|it| it.spec.gateway.image = Some("other".to_owned())),
        before
    );
    assert_ne!(revision(|it| it.spec.gateway.compression = true), before);
    assert_ne!(revision(|it| it.spec.gateway.workers = Some(3)), before);
    assert_ne!(
        revision(|it| it.spec.drain.deadline = "10m".parse().unwrap()),
        before
    );
}

/// What the servers' configuration says, where the `StatefulSet` that is there is `live`.
fn servers(
    durability: Option<Durability>,
    replicas: u32,
    live: Option<Durability>,
) -> (bool, Value) {
    let mut cluster = cluster("managed");
    let nats = cluster.spec.backbone.as_mut().unwrap().nats.as_mut();
    let managed = nats.unwrap().managed.as_mut().unwrap();
    (managed.durability, managed.replicas) = (durability, replicas);
    let (keys, images) = (keys(), images());
    let planned = plan::plan(&Inputs {
        cluster: &cluster,
        documents: "",
        keys: &keys,
        images: &images,
        apis: Apis::default(),
        operator_namespace: "",
        durability: live,
    });
    let of = |kind| {
        let found = planned
            .iter()
            .find(|it| it.kind == kind && it.name == "chat-nats");
        found.unwrap().value.clone()
    };
    let text = of(Kind::ConfigMap)["data"]["nats.conf"].to_string();
    (
        text.contains("sync_interval: always"),
        of(Kind::StatefulSet),
    )
}

#[test]
fn servers_that_are_there_stay_as_they_are_and_new_ones_write_to_their_disks_where_they_are_several()
 {
    use Durability::{Disk, Quorum};
    for (wanted, replicas, live, always) in [
        (None, 1, None, false),
        (None, 3, None, true),
        (None, 3, Some(Quorum), false),
        (None, 1, Some(Disk), true),
        (Some(Disk), 1, Some(Quorum), true),
        (Some(Quorum), 3, Some(Disk), false),
    ] {
        let (written, object) = servers(wanted, replicas, live);
        assert_eq!(written, always, "{wanted:?} {replicas} {live:?}");
        // The next time it is seen by what is there.
        let annotations = &object["spec"]["template"]["metadata"]["annotations"];
        assert_eq!(annotations["sluice.dev/durability"] == "Disk", always);
    }
}

#[test]
fn an_annotation_has_gateways_spread_anew_by_a_rollout() {
    let respread = revision(|it| {
        let annotations = &mut it.spec.gateway.pod_annotations;
        annotations.insert("example.com/respread".to_owned(), "1".to_owned());
    });
    assert_ne!(respread, revision(|_| {}));
}

#[test]
fn gateways_are_spread_over_nodes_and_zones_beside_those_of_their_own_revision() {
    let planned = planned(&cluster("managed"), ALL);
    let deployment = planned.split("---\n").last().unwrap();
    let deployment: serde_json::Value = serde_saphyr::from_str(deployment).unwrap();
    let template = &deployment["spec"]["template"];
    let revision = &template["metadata"]["labels"]["sluice.dev/revision"];
    let preferred =
        "/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution";
    let terms = template.pointer(preferred).and_then(|it| it.as_array());
    let terms = terms.unwrap().iter().map(|it| &it["podAffinityTerm"]);
    let over: Vec<_> = terms.clone().map(|it| &it["topologyKey"]).collect();
    assert_eq!(
        over,
        ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    );
    for term in terms {
        assert_eq!(
            &term["labelSelector"]["matchLabels"]["sluice.dev/revision"],
            revision
        );
    }
}
