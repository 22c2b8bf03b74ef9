//! What an API server says to resources that cannot work: every rule's message, and no rule that
//! says nothing.

use std::collections::BTreeSet;

use kube::{
    ResourceExt as _,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use sluice_crds::{RealtimeCluster, Room, definition};
use sluice_operator::Kind;

use crate::support::World;

const CLUSTERS: &str = r#"
{"auth": {}}
{"auth": {"jwt": {"issuer": "me"}}}
{"auth": {"jwt": {"jwksUri": "https://idp/keys", "keySecretRef": {"name": "a", "key": "b"}}}}
{"auth": {"jwt": {"jwksUri": "https://idp/keys", "algorithms": ["RS256", "HS256"]}}}
{"auth": {"jwt": {"jwksUri": "idp.example.com"}}}
{"backend": {"webhook": {"url": "ftp://app", "secretRef": {"name": "a", "key": "b"}}}}
{"observability": {"otlpEndpoint": "collector:4317"}}
{"backbone": {"nats": {"external": {"url": "nats-a:4222"}}}}
{"gateway": {"replicas": 2}}
{"gateway": {"autoscaling": {}}}
{"backbone": {}}
{"backbone": {"nats": {}}}
{"backbone": {"nats": {"managed": {"replicas": 2}}}}
{"backend": {"askOnConnect": true}}
{"backend": {"nats": {}}}
{"backend": {"nats": {"timeout": "0s"}}, "backbone": {"nats": {"managed": {}}}}
{"backend": {"webhook": {"url": "http://app", "secretRef": {"name": "a", "key": "b"}, "timeout": "0"}}}
{"gateway": {"autoscaling": {"minReplicas": 5, "maxReplicas": 4}}, "backbone": {"nats": {"managed": {}}}}
{"gateway": {"maxConnections": 1000, "autoscaling": {"connectionsPerPod": 2000}}, "backbone": {"nats": {"managed": {}}}}
{"drain": {"settle": "61s", "window": "1m", "deadline": "2m"}}
{"drain": {"settle": "0s", "window": "0s", "deadline": "500ms"}}
{"heartbeat": {"interval": "0s"}}
{"heartbeat": {"timeout": "1ns"}}
{"rollout": {"maxSurge": "0%"}}
{"origins": ["https://a.com/"]}
{"namespaces": ["/", "chat"]}
{"limits": {"trustedProxies": ["10.0.0.0/33"]}}
{"recovery": {"window": "87601h"}}
{"limits": {"payloadBytes": 900000, "outboundBytes": 1000000}}
{"gateway": {"socketioPath": "realtime"}}
{"gateway": {"keepAlive": "0s"}}
{"applications": [{"name": "Chat", "namespaces": ["/chat"]}], "backbone": {"nats": {"managed": {}}}}
{"applications": [{"name": "chat", "namespaces": ["/chat-*-*"]}], "backbone": {"nats": {"managed": {}}}}
{"applications": [{"name": "chat", "namespaces": ["/chat"]}]}
{"applications": [{"name": "chat", "namespaces": ["/admin-7"]}, {"name": "admin", "namespaces": ["/admin-*"]}], "backbone": {"nats": {"managed": {}}}}
{"applications": [{"name": "chat", "namespaces": ["/chat"], "limits": {"waitingBytesPerSession": 2000000, "waitingBytes": 1048576}}], "backbone": {"nats": {"managed": {}}}}
{"applications": [{"name": "chat", "namespaces": ["/chat"], "limits": {"unreadFor": "0s"}}], "backbone": {"nats": {"managed": {}}}}
{"applications": [{"name": "chat", "namespaces": ["/chat"], "recovery": {"window": "2h"}}], "backbone": {"nats": {"managed": {}}}}
{"applications": [{"name": "chat", "namespaces": ["/*"]}], "namespaces": ["/chat"], "backend": {"nats": {}}, "backbone": {"nats": {"managed": {}}}}
"#;

const ROOMS: &str = r#"
{"match": "a", "namespace": "chat"}
{"match": "a", "history": {}}
{"match": "a", "history": {"maxAge": "0s"}}
"#;

/// Every message of every rule of a schema.
fn messages(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            let rules = map
                .get("x-kubernetes-validations")
                .and_then(Value::as_array);
            let texts = rules
                .into_iter()
                .flatten()
                .filter_map(|rule| rule["message"].as_str());
            found.extend(texts.map(str::to_owned));
            map.values().for_each(|value| messages(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| messages(value, found)),
        _ => {}
    }
}

/// What the API server says to a new object; nothing if it takes it.
async fn said(world: &World, kind: Kind, name: &str, spec: &Value) -> String {
    let object = json!({
        "apiVersion": kind.api_version(), "kind": kind.name(),
        "metadata": {"name": name}, "spec": spec,
    });
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let created = world
        .api(kind)
        .create(&params, &serde_json::from_value(object).unwrap())
        .await;
    created
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

/// What the API server says to a change of an object that is there.
async fn said_to_change(world: &World, kind: Kind, name: &str, fields: Value) -> String {
    let changed = world
        .api(kind)
        .patch(name, &PatchParams::default(), &Patch::Merge(fields))
        .await;
    changed
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_says_what_to_do() {
    let world = World::empty().await;
    let mut rules = BTreeSet::new();
    messages(&definition::<RealtimeCluster>(), &mut rules);
    messages(&definition::<Room>(), &mut rules);
    let mut answers = Vec::new();
    for line in CLUSTERS.trim().lines() {
        let mut spec: Value = serde_json::from_str(line).unwrap();
        if spec.get("auth").is_none() {
            spec["auth"] = json!({"required": false});
        }
        answers.push(said(&world, Kind::RealtimeCluster, "chat", &spec).await);
    }
    for line in ROOMS.trim().lines() {
        let mut spec: Value = serde_json::from_str(line).unwrap();
        spec["clusterRef"] = json!({"name": "chat"});
        answers.push(said(&world, Kind::Room, "a", &spec).await);
    }
    let open = json!({"auth": {"required": false}});
    for name in [
        "9lives",
        "a.b",
        "a-name-that-is-longer-than-forty-characters",
    ] {
        answers.push(said(&world, Kind::RealtimeCluster, name, &open).await);
    }
    answers.extend(changes(&world).await);
    for answer in &answers {
        assert!(
            rules.iter().any(|rule| answer.contains(rule)),
            "no rule speaks: {answer}"
        );
    }
    let silent: Vec<_> = rules
        .iter()
        .filter(|rule| !answers.iter().any(|it| it.contains(*rule)))
        .collect();
    assert!(silent.is_empty(), "never said: {silent:#?}");
}

async fn changes(world: &World) -> Vec<String> {
    let nats = json!({"nats": {"managed": {"storageClassName": "fast"}}});
    world
        .cluster(
            "chat",
            json!({"auth": {"required": false}, "backbone": nats}),
        )
        .await;
    world.room("a", "chat", json!({"match": "a"})).await;
    let managed = |fields: Value| json!({"spec": {"backbone": {"nats": {"managed": fields}}}});
    let mut answers = Vec::new();
    for fields in [
        json!({"replicas": 1}),
        json!({"storage": "20Gi"}),
        json!({"storageClassName": "slow"}),
    ] {
        answers.push(said_to_change(world, Kind::RealtimeCluster, "chat", managed(fields)).await);
    }
    for fields in [
        json!({"clusterRef": {"name": "other"}}),
        json!({"namespace": "/other"}),
    ] {
        answers.push(said_to_change(world, Kind::Room, "a", json!({"spec": fields})).await);
    }
    assert_eq!(
        said_to_change(
            world,
            Kind::RealtimeCluster,
            "chat",
            managed(json!({"replicas": 5}))
        )
        .await,
        ""
    );
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn defaults_are_stored_and_columns_are_there() {
    let world = World::empty().await;
    let cluster = world
        .cluster("chat", json!({"auth": {"required": false}}))
        .await;
    assert_eq!(cluster.data["spec"]["drain"]["deadline"], "2m");
    assert_eq!(cluster.data["spec"]["gateway"]["replicas"], 1);
    // As `kubectl scale` and autoscalers do.
    let scale = world
        .api(Kind::RealtimeCluster)
        .get_scale(&cluster.name_any())
        .await
        .unwrap();
    assert_eq!(scale.spec.unwrap().replicas, Some(1));
}
