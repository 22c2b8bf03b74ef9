//! From resources to objects.

use serde_json::json;
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
