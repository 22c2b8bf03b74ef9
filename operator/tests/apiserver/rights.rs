//! The operator needs the rights that it asks for, and no others.

use k8s_openapi::api::{
    authentication::v1::TokenRequest,
    core::v1::ServiceAccount,
    rbac::v1::{ClusterRole, ClusterRoleBinding},
};
use kube::{Api, Client, ResourceExt as _, api::PostParams};
use serde_json::{Value, json};
use sluice_operator::{
    Kind,
    lease::Candidate,
    rights::{AT_HOME, IN_CLUSTER, IN_NAMESPACES, Right},
};
use sluice_test_apiserver::until;

use crate::support::{World, server};

fn rules(rights: &[Right]) -> Vec<Value> {
    let rule = |right: &Right| json!({"apiGroups": [right.group], "resources": right.resources, "verbs": right.verbs});
    rights.iter().map(rule).collect()
}

/// A client that may do just this, everywhere.
async fn allowed(world: &World, rights: &[Right]) -> Client {
    let params = PostParams::default();
    let name = format!("op-{}", world.namespace);
    let account = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
    let accounts: Api<ServiceAccount> = Api::namespaced(world.client.clone(), &world.namespace);
    accounts.create(&params, &account).await.unwrap();
    let role = json!({"metadata": {"name": name}, "rules": rules(rights)});
    let roles: Api<ClusterRole> = Api::all(world.client.clone());
    roles
        .create(&params, &serde_json::from_value(role).unwrap())
        .await
        .unwrap();
    let binding = json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": world.namespace}],
    });
    let bindings: Api<ClusterRoleBinding> = Api::all(world.client.clone());
    bindings
        .create(&params, &serde_json::from_value(binding).unwrap())
        .await
        .unwrap();
    let request: TokenRequest = serde_json::from_value(json!({"spec": {"audiences": []}})).unwrap();
    let token = accounts
        .create_token_request(&name, &params, &request)
        .await
        .unwrap();
    server()
        .await
        .client_as(&token.status.unwrap().token.unwrap())
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rights_that_are_documented_are_enough() {
    let mut world = World::empty().await;
    let rights: Vec<Right> = [IN_NAMESPACES, AT_HOME].concat();
    let client = allowed(&world, &rights).await;
    world.start_as(client.clone(), Some(world.namespace.clone()));
    let nats = json!({"nats": {"managed": {"replicas": 1}}});
    let auth = json!({"required": false});
    let spec = json!({"auth": auth, "backbone": nats});
    world.cluster("chat", spec).await;
    let kept = json!({"match": "a", "history": {"maxMessages": 1}});
    world.room("a", "chat", kept).await;
    until("the Room is held", async || {
        world.get(Kind::Room, "a").await.unwrap().finalizers().len() == 1
    })
    .await;
    until("the NATS servers are there", async || {
        world.get(Kind::StatefulSet, "chat-nats").await.is_some()
    })
    .await;
    world
        .says(
            Kind::RealtimeCluster,
            "chat",
            "BackboneReady",
            "False",
            "Starting",
        )
        .await;
    // Another backbone takes another revision, and the servers go.
    let memory = json!({"spec": {"backbone": null}});
    world.edit(Kind::RealtimeCluster, "chat", memory).await;
    until("the NATS servers are gone", async || {
        world.get(Kind::StatefulSet, "chat-nats").await.is_none()
            && world.get(Kind::Secret, "chat-nats-servers").await.is_none()
    })
    .await;
    world.ready("chat").await;
    until("the Room is free", async || {
        world
            .get(Kind::Room, "a")
            .await
            .unwrap()
            .finalizers()
            .is_empty()
    })
    .await;
    let metrics =
        String::from_utf8(sluice_ops::port::text(world.metrics.registry()).unwrap()).unwrap();
    assert!(!metrics.contains("outcome=\"Forbidden\""), "{metrics}");
    let mut candidate = Candidate::new(&client, &world.namespace, "lead", "a");
    candidate.lead().await;
    candidate.release().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_looked_at_only_by_who_works_everywhere() {
    let mut world = World::empty().await;
    let rights: Vec<Right> = [IN_NAMESPACES, IN_CLUSTER].concat();
    let client = allowed(&world, &rights).await;
    world.start_as(client, None);
    until("everything was seen", async || world.is_ready()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_missing_is_named() {
    let mut world = World::empty().await;
    let rights: Vec<Right> = IN_NAMESPACES
        .iter()
        .filter(|right| right.group != "policy")
        .copied()
        .collect();
    let reading = Right {
        group: "policy",
        resources: &["poddisruptionbudgets"],
        verbs: &["get", "list", "watch"],
    };
    let rights: Vec<Right> = rights.into_iter().chain([reading]).collect();
    let client = allowed(&world, &rights).await;
    world.start_as(client, Some(world.namespace.clone()));
    world
        .cluster("chat", json!({"auth": {"required": false}}))
        .await;
    let message = world
        .says(Kind::RealtimeCluster, "chat", "Ready", "False", "Forbidden")
        .await;
    assert!(
        message.contains("PodDisruptionBudget") && message.contains("grant it"),
        "{message}"
    );
}
