//! From resources to objects.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kube::{
    api::{Patch, PatchParams},
    core::DynamicObject,
};
use serde_json::{Value, json};
use sluice_operator::Kind;
use sluice_test_apiserver::until;

use crate::support::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_becomes_a_fleet_and_is_ready_when_its_gateways_are() {
    let world = World::new().await;
    world
        .cluster("chat", json!({"auth": {"required": false}}))
        .await;
    world.ready("chat").await;
    let cluster = world.get(Kind::RealtimeCluster, "chat").await.unwrap();
    let status = &cluster.data["status"];
    assert_eq!(status["observedGeneration"], 1);
    assert_eq!(status["replicas"], 1);
    let revision = status["revision"].as_str().unwrap();
    for (kind, name) in [
        (Kind::Deployment, format!("chat-{revision}")),
        (Kind::Service, "chat".to_owned()),
        (Kind::Service, "chat-gateways".to_owned()),
        (Kind::Service, "chat-api".to_owned()),
        (Kind::ConfigMap, "chat-documents".to_owned()),
        (Kind::Secret, "chat-operator".to_owned()),
        (Kind::PodDisruptionBudget, "chat-gateways".to_owned()),
        (Kind::NetworkPolicy, "chat-gateways".to_owned()),
        (Kind::ServiceAccount, "chat-gateways".to_owned()),
    ] {
        assert!(world.get(kind, &name).await.is_some(), "{kind} {name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_once_a_fleet_is_as_it_should_be() {
    let mut world = World::new().await;
    let spec = json!({"auth": {"required": false}, "gateway": {"replicas": 2, "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}}}, "backbone": {"nats": {"managed": {}}}});
    world.cluster("chat", spec).await;
    world.room("a", "chat", json!({"match": "a"})).await;
    // Its servers are not reachable here, so it does not become ready; but it comes to rest.
    world
        .says(Kind::RealtimeCluster, "chat", "Accepted", "True", "Valid")
        .await;
    until("the fleet has come to rest", async || {
        world.run_pods().await;
        let before = world.metrics.writes();
        world.looks(Kind::RealtimeCluster, 2).await;
        world.metrics.writes() == before
    })
    .await;
    let before = world.metrics.writes();
    // An operator that starts anew finds everything as it should be.
    world.kill();
    world.start();
    world.looks(Kind::Room, 1).await;
    world.looks(Kind::RealtimeCluster, 2).await;
    // Looks that events cause follow each other closely, and a write may come after them.
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(
        world.metrics.writes(),
        before,
        "{}",
        String::from_utf8(sluice_ops::port::text(world.metrics.registry()).unwrap()).unwrap()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_has_a_login_of_its_own_for_as_long_as_it_is_there() {
    let world = World::new().await;
    let spec = |applications| {
        json!({"auth": {"required": false}, "backbone": {"nats": {"managed": {"replicas": 1}}},
            "applications": applications})
    };
    let chat = json!({"name": "chat", "namespaces": ["/chat"]});
    let admin = json!({"name": "admin", "namespaces": ["/admin-*"]});
    world.cluster("chat", spec(json!([chat, admin]))).await;
    let login = async |name: &str| world.get(Kind::Secret, name).await;
    until("both have a login", async || {
        login("chat-nats-app-chat").await.is_some() && login("chat-nats-app-admin").await.is_some()
    })
    .await;
    let before = login("chat-nats-app-chat").await.unwrap();
    let change = json!({"spec": {"applications": [chat]}});
    world.edit(Kind::RealtimeCluster, "chat", change).await;
    until("the login of the one that is gone is gone", async || {
        login("chat-nats-app-admin").await.is_none()
    })
    .await;
    let after = login("chat-nats-app-chat").await.unwrap();
    assert_eq!(after.data["data"], before.data["data"]);
    let change = json!({"spec": {"backbone": {"nats": {"managed": null, "external": {"url": "nats://nats:4222"}}}}});
    world.edit(Kind::RealtimeCluster, "chat", change).await;
    until("logins go with the servers", async || {
        login("chat-nats-app-chat").await.is_none() && login("chat-nats-servers").await.is_none()
    })
    .await;
}

/// A Secret of a cluster, as the operator of 0.1.0 makes it.
async fn former(world: &World, cluster: &DynamicObject, name: &str, texts: Value) {
    let meta = &cluster.metadata;
    let owner = json!({"apiVersion": "sluice.dev/v1alpha1", "kind": "RealtimeCluster",
        "name": meta.name, "uid": meta.uid, "controller": true});
    let texts = texts.as_object().unwrap().iter();
    let encoded = texts.map(|(key, text)| {
        let text = BASE64_STANDARD.encode(text.as_str().unwrap());
        (key.clone(), Value::from(text))
    });
    let secret = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "ownerReferences": [owner]},
        "data": encoded.collect::<serde_json::Map<_, _>>()});
    let secrets = world.api(Kind::Secret);
    let params = PatchParams::apply("sluice-operator");
    secrets
        .patch(name, &params, &Patch::Apply(&secret))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_of_an_earlier_version_go_when_nobody_needs_them() {
    let mut world = World::empty().await;
    let spec =
        json!({"auth": {"required": false}, "backbone": {"nats": {"managed": {"replicas": 1}}}});
    let cluster = world.cluster("chat", spec).await;
    let keys = json!({"gateway": "kg", "operator": "ko", "backend": "kb", "routes": "kr"});
    former(&world, &cluster, "chat-nats-servers", keys).await;
    let backend = json!({"url": "nats://x", "user": "backend", "password": "kb"});
    former(&world, &cluster, "chat-nats-backend", backend).await;
    world.start();
    let text = async |name: &str, key: &str| {
        let secret = world.get(Kind::Secret, name).await?;
        let value = BASE64_STANDARD.decode(secret.data["data"][key].as_str()?);
        String::from_utf8(value.unwrap()).ok()
    };
    let servers = async |key: &str| text("chat-nats-servers", key).await;
    until("there are new logins beside the old", async || {
        servers("sluice-gateway").await.is_some()
            && text("chat-nats-gateway", "login").await.is_some()
    })
    .await;
    for (key, password) in [("gateway", "kg"), ("backend", "kb"), ("routes", "kr")] {
        assert_eq!(servers(key).await.as_deref(), Some(password));
    }
    assert!(
        text("chat-nats-gateway", "url")
            .await
            .unwrap()
            .contains("gateway:kg@")
    );
    let finalised = Patch::Merge(json!({"status": {"wireVersion": 2}}));
    let clusters = world.api(Kind::RealtimeCluster);
    clusters
        .patch_status("chat", &PatchParams::default(), &finalised)
        .await
        .unwrap();
    until("no gateway needs the old one", async || {
        servers("gateway").await.is_none() && servers("operator").await.is_none()
    })
    .await;
    let url = text("chat-nats-gateway", "url").await.unwrap();
    assert!(url.contains("//sluice-gateway:"), "{url}");
    assert_eq!(text("chat-nats-backend", "user").await.unwrap(), "backend");
    world.delete(Kind::Secret, "chat-nats-backend").await;
    let looked = json!({"metadata": {"annotations": {"looked": "again"}}, "spec": {"gateway": {"workers": 2}}});
    world.edit(Kind::RealtimeCluster, "chat", looked).await;
    until("backends have a login of their own", async || {
        text("chat-nats-backend", "user").await.as_deref() == Some("sluice-backend")
    })
    .await;
    until("the old one is gone", async || {
        servers("backend").await.is_none()
    })
    .await;
    assert_eq!(servers("routes").await.as_deref(), Some("kr"));
}
