//! What happens when something is wrong: a condition and an event that say what to do, and
//! recovery by itself.

use kube::{
    Api, ResourceExt as _,
    api::{Patch, PatchParams, PostParams},
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::{Value, json};
use sluice_operator::Kind;
use sluice_test_apiserver::until;

use crate::support::World;

const CLUSTER: Kind = Kind::RealtimeCluster;

fn open() -> Value {
    json!({"auth": {"required": false}})
}

async fn create(world: &World, kind: Kind, name: &str, mut body: Value) {
    body["apiVersion"] = kind.api_version().into();
    body["kind"] = kind.name().into();
    body["metadata"] = json!({"name": name});
    let object = serde_json::from_value(body).unwrap();
    world
        .api(kind)
        .create(&PostParams::default(), &object)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_is_named_and_waited_for() {
    let world = World::new().await;
    let auth = json!({"jwt": {"keySecretRef": {"name": "keys", "key": "jwt"}}});
    world.cluster("chat", json!({"auth": auth})).await;
    let message = world
        .says(CLUSTER, "chat", "Ready", "False", "SecretMissing")
        .await;
    assert!(
        message.contains("there is no Secret keys with the key jwt: create it"),
        "{message}"
    );
    assert!(
        world
            .event("chat", "SecretMissing")
            .await
            .contains("Secret keys")
    );
    world
        .says(CLUSTER, "chat", "Stalled", "False", "Going")
        .await;
    create(
        &world,
        Kind::Secret,
        "keys",
        json!({"stringData": {"jwt": "0123456789abcdef0123456789abcdef"}}),
    )
    .await;
    world.ready("chat").await;
    world
        .says(CLUSTER, "chat", "Accepted", "True", "Valid")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_somebody_else_is_never_taken() {
    let world = World::empty().await;
    create(
        &world,
        Kind::Service,
        "chat",
        json!({"spec": {"ports": [{"port": 99}], "selector": {"a": "b"}}}),
    )
    .await;
    let mut world = world;
    world.start();
    world.cluster("chat", open()).await;
    let message = world
        .says(CLUSTER, "chat", "Stalled", "True", "NameTaken")
        .await;
    assert!(
        message.contains("there is a Service chat that belongs to somebody else"),
        "{message}"
    );
    world.event("chat", "NameTaken").await;
    let service = world.get(Kind::Service, "chat").await.unwrap();
    assert_eq!(service.data["spec"]["ports"][0]["port"], 99);
    assert!(service.metadata.owner_references.is_none());
    world.delete(Kind::Service, "chat").await;
    world.ready("chat").await;
    world
        .says(CLUSTER, "chat", "Stalled", "False", "Going")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_whose_objects_would_have_one_name_do_not_fight() {
    let world = World::new().await;
    world
        .cluster(
            "chat",
            json!({"auth": {"required": false}, "backbone": {"nats": {"managed": {}}}}),
        )
        .await;
    until("the NATS servers of chat are there", async || {
        world.get(Kind::Service, "chat-nats").await.is_some()
    })
    .await;
    world.cluster("chat-nats", open()).await;
    world
        .says(CLUSTER, "chat-nats", "Stalled", "True", "NameTaken")
        .await;
    let service = world.get(Kind::Service, "chat-nats").await.unwrap();
    assert_eq!(service.owner_references()[0].name, "chat");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_edited_or_deleted_is_put_back() {
    let world = World::new().await;
    world.cluster("chat", open()).await;
    world.ready("chat").await;
    world
        .edit(
            Kind::Service,
            "chat",
            json!({"spec": {"sessionAffinity": "None", "sessionAffinityConfig": null}}),
        )
        .await;
    world
        .delete(Kind::PodDisruptionBudget, "chat-gateways")
        .await;
    let key = world.get(Kind::Secret, "chat-operator").await.unwrap().data["data"]["key"].clone();
    let labels = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "me"}}});
    world.edit(Kind::ConfigMap, "chat-documents", labels).await;
    until("everything is as it was", async || {
        let service = world.get(Kind::Service, "chat").await.unwrap();
        let documents = world.get(Kind::ConfigMap, "chat-documents").await.unwrap();
        service.data["spec"]["sessionAffinity"] == "ClientIP"
            && world
                .get(Kind::PodDisruptionBudget, "chat-gateways")
                .await
                .is_some()
            && documents.labels()["app.kubernetes.io/managed-by"] == "sluice-operator"
    })
    .await;
    // Secrets are not watched: one comes back, as it was, when its cluster is looked at after what
    // was read of it has become too old.
    world.delete(Kind::Secret, "chat-operator").await;
    let mut looked = 0;
    until("the Secret is back", async || {
        looked += 1;
        let spec = json!({"spec": {"limits": {"messagesPerSecond": looked}}});
        world.edit(CLUSTER, "chat", spec).await;
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        let secret = world.get(Kind::Secret, "chat-operator").await;
        secret.is_some_and(|secret| secret.data["data"]["key"] == key)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_used_up_is_named() {
    let world = World::new().await;
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"},
        "spec": {"hard": {"services": "1"}},
    });
    let api: kube::Api<k8s_openapi::api::core::v1::ResourceQuota> =
        kube::Api::namespaced(world.client.clone(), &world.namespace);
    api.create(
        &PostParams::default(),
        &serde_json::from_value(quota).unwrap(),
    )
    .await
    .unwrap();
    until("the quota is counted", async || {
        api.get("few")
            .await
            .unwrap()
            .status
            .is_some_and(|status| status.hard.is_some())
    })
    .await;
    world.cluster("chat", open()).await;
    let message = world
        .says(CLUSTER, "chat", "Ready", "False", "QuotaExceeded")
        .await;
    assert!(
        message.contains("a ResourceQuota of the Kubernetes namespace is used up"),
        "{message}"
    );
    world.event("chat", "QuotaExceeded").await;
    let more = json!({"spec": {"hard": {"services": "9"}}});
    api.patch("few", &PatchParams::default(), &Patch::Merge(more))
        .await
        .unwrap();
    world.ready("chat").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_cannot_be_pulled_is_named() {
    let world = World::new().await;
    world.cluster("chat", open()).await;
    until("there is a pod", async || world.pods().await.len() == 1).await;
    let pod = world.pods().await.remove(0);
    let status = json!({"status": {"phase": "Pending", "containerStatuses": [{
        "name": "gateway", "image": "gateway:test", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}},
    }]}});
    let api = world.api(Kind::Pod);
    api.patch_status(
        &pod.name_any(),
        &PatchParams::default(),
        &Patch::Merge(status),
    )
    .await
    .unwrap();
    let message = world
        .says(CLUSTER, "chat", "Ready", "False", "ImagePull")
        .await;
    assert!(
        message.contains("gateway:test") && message.contains("no such image"),
        "{message}"
    );
    let runs = json!({"status": {"containerStatuses": null}});
    api.patch_status(
        &pod.name_any(),
        &PatchParams::default(),
        &Patch::Merge(runs),
    )
    .await
    .unwrap();
    world.ready("chat").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_servers_that_do_not_come_up_are_named() {
    let world = World::new().await;
    world
        .cluster(
            "chat",
            json!({"auth": {"required": false}, "backbone": {"nats": {"managed": {}}}}),
        )
        .await;
    let message = world
        .says(CLUSTER, "chat", "BackboneReady", "False", "Starting")
        .await;
    assert_eq!(message, "0 of 3 NATS servers are ready.");
    world
        .says(CLUSTER, "chat", "Ready", "False", "BackboneStarting")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_external_nats_that_cannot_be_reached_is_named() {
    let world = World::new().await;
    let external = json!({"url": "nats://127.0.0.1:1"});
    world
        .cluster(
            "chat",
            json!({"auth": {"required": false}, "backbone": {"nats": {"external": external}}}),
        )
        .await;
    let message = world
        .says(CLUSTER, "chat", "BackboneReady", "False", "Unreachable")
        .await;
    assert!(message.contains("spec.backbone.nats"), "{message}");
    world.event("chat", "BackboneUnreachable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_deleted_leaves_nothing() {
    let world = World::new().await;
    world.cluster("chat", open()).await;
    world.ready("chat").await;
    world.delete(CLUSTER, "chat").await;
    until("everything is gone", async || {
        let mut left = 0;
        for kind in Kind::MADE.into_iter().filter(|kind| !kind.is_optional()) {
            let objects = world
                .api(kind)
                .list(&kube::api::ListParams::default())
                .await
                .unwrap();
            left += objects
                .iter()
                .filter(|it| it.name_any().starts_with("chat"))
                .count();
        }
        left == 0
    })
    .await;
}

/// Gives the custom resource a field, as a newer version of it would have.
async fn newer_resource(world: &World) {
    let gvk = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let resource = ApiResource::from_gvk_with_plural(&gvk, "customresourcedefinitions");
    let api: Api<DynamicObject> = Api::all_with(world.client.clone(), &resource);
    let name = "realtimeclusters.sluice.dev";
    let mut definition = api.get(name).await.unwrap();
    let schema = &mut definition.data["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["spec"]["properties"]["shiny"] = json!({"type": "string"});
    api.replace(name, &PostParams::default(), &definition)
        .await
        .unwrap();
    let object = json!({
        "apiVersion": CLUSTER.api_version(), "kind": CLUSTER.name(), "metadata": {"name": "probe"},
        "spec": {"auth": {"required": false}, "shiny": "x"},
    });
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    let params = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    until("the API server knows the field", async || {
        let made = world.api(CLUSTER).create(&params, &object).await;
        made.is_ok_and(|made| made.data["spec"]["shiny"] == "x")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "changes the custom resource for all tests: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn a_field_that_only_a_newer_operator_knows_is_told_of_and_stops_nothing() {
    let mut world = World::empty().await;
    newer_resource(&world).await;
    // One that watches already sees the field only when its watch is begun again.
    world.start();
    world
        .cluster("chat", json!({"auth": {"required": false}, "shiny": "x"}))
        .await;
    let message = world
        .says(CLUSTER, "chat", "Accepted", "False", "UnknownFields")
        .await;
    assert!(message.contains("does not know spec.shiny"), "{message}");
    world.event("chat", "AcceptedUnknownFields").await;
    world.ready("chat").await;
}
