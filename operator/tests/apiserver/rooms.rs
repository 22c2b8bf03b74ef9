//! From Rooms to what gateways work by.

use std::time::{Duration, Instant};

use kube::ResourceExt as _;
use serde_json::{Value, json};
use sluice_bucket::{Connection, Login, News};
use sluice_contract::{Names, Role};
use sluice_nats::link::Logins;
use sluice_operator::Kind;
use sluice_test_apiserver::until;
use sluice_test_nats::{Server, Settings};
use tokio::sync::mpsc;

use crate::support::World;

/// A world with a NATS server and a cluster that uses it.
async fn fleet() -> (World, Server) {
    let world = World::new().await;
    let nats = Server::start(Settings::default().jetstream()).await;
    let external = json!({"url": nats.url()});
    let spec = json!({"auth": {"required": false}, "backbone": {"nats": {"external": external}}});
    world.cluster("chat", spec).await;
    (world, nats)
}

async fn connect(world: &World, nats: &Server) -> (Connection, Names) {
    let names = Names::new(&world.namespace, "chat");
    let login = Login {
        urls: nats.url(),
        logins: Logins::default(),
        certificates: None,
        name: "test".to_owned(),
        role: Role::Gateway,
    };
    (
        Connection::open(&login, names.clone()).await.unwrap(),
        names,
    )
}

fn documents(object: &kube::core::DynamicObject) -> &str {
    object.data["data"]["sluice.yaml"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_room_reaches_gateways_in_less_than_a_second() {
    let (world, nats) = fleet().await;
    world
        .room("support", "chat", json!({"match": "support-*"}))
        .await;
    world
        .says(Kind::Room, "support", "Ready", "True", "InForce")
        .await;
    let (connection, _) = connect(&world, &nats).await;
    let (news, mut heard) = mpsc::channel(64);
    let watching = tokio::spawn(sluice_bucket::watch(connection, news));
    // As a gateway hears it.
    while heard.recv().await.unwrap() != News::Current {}
    let mut slowest = Duration::ZERO;
    for rate in 1..=5 {
        let started = Instant::now();
        let spec = json!({"match": "support-*", "limits": {"messagesPerSecond": 1000 + rate}});
        world.room("support", "chat", spec).await;
        let wanted = format!("messagesPerSecond: {}", 1000 + rate);
        loop {
            if let Some(News::Documents(pushed)) = heard.recv().await
                && pushed.text.contains(&wanted)
            {
                break;
            }
        }
        slowest = slowest.max(started.elapsed());
    }
    println!("a changed Room was heard of after {slowest:?} at the latest");
    watching.abort();
    let map = world.get(Kind::ConfigMap, "chat-documents").await.unwrap();
    assert!(documents(&map).contains("messagesPerSecond: 1005"));
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_others_push_are_put_back() {
    let (world, nats) = fleet().await;
    world
        .room("support", "chat", json!({"match": "support-*"}))
        .await;
    world
        .says(Kind::Room, "support", "Ready", "True", "InForce")
        .await;
    let (connection, _) = connect(&world, &nats).await;
    connection.connected().await;
    let ours = connection.pushed().await.unwrap().unwrap();
    let map = world.get(Kind::ConfigMap, "chat-documents").await.unwrap();
    assert_eq!(ours.text, documents(&map));
    let status = world.get(Kind::RealtimeCluster, "chat").await.unwrap();
    assert_eq!(status.data["status"]["policy"]["revision"], ours.revision);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_cannot_be_used_says_why_and_spoils_no_other() {
    let world = World::new().await;
    world
        .cluster("chat", json!({"auth": {"required": false}}))
        .await;
    world.room("good", "chat", json!({"match": "good"})).await;
    world
        .room(
            "bad",
            "chat",
            json!({"match": "bad", "access": {"join": "claims.("}}),
        )
        .await;
    world
        .says(Kind::Room, "good", "Ready", "True", "InForce")
        .await;
    let message = world
        .says(Kind::Room, "bad", "Stalled", "True", "InvalidSpec")
        .await;
    assert!(message.starts_with("spec.access.join: "), "{message}");
    world.event("bad", "InvalidSpec").await;
    world
        .room(
            "bad",
            "chat",
            json!({"match": "bad", "access": {"join": "true"}}),
        )
        .await;
    world
        .says(Kind::Room, "bad", "Ready", "True", "InForce")
        .await;
    let twin = world.room("twin", "chat", json!({"match": "good"})).await;
    assert_eq!(twin.name_any(), "twin");
    let message = world
        .says(Kind::Room, "twin", "Stalled", "True", "Conflict")
        .await;
    assert!(
        message.contains("the Room good is for the same rooms"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_waits_for_its_cluster() {
    let world = World::new().await;
    world.room("a", "chat", json!({"match": "a"})).await;
    let message = world
        .says(Kind::Room, "a", "Ready", "False", "ClusterMissing")
        .await;
    assert!(message.contains("no RealtimeCluster chat"), "{message}");
    world
        .cluster("chat", json!({"auth": {"required": false}}))
        .await;
    world
        .says(Kind::Room, "a", "Ready", "True", "InForce")
        .await;
}

/// Stores a message in a room as a gateway does, and says how many are stored in each.
async fn store(connection: &Connection, names: &Names, room: &str) {
    let jetstream = async_nats::jetstream::new(connection.client().clone());
    let subject = names.stored(&sluice_contract::place("/", room));
    jetstream
        .publish(subject, "hello".into())
        .await
        .unwrap()
        .await
        .unwrap();
}

async fn stored(connection: &Connection, names: &Names) -> u64 {
    let jetstream = async_nats::jetstream::new(connection.client().clone());
    let mut stream = jetstream.get_stream(names.rooms_stream()).await.unwrap();
    stream.info().await.unwrap().state.messages
}

async fn streams(connection: &Connection, names: &Names) {
    connection.connected().await;
    let wanted = sluice_nats::streams::Wanted {
        replicas: 1,
        messages_per_room: 10,
        max_age: Duration::from_hours(1),
    };
    sluice_nats::streams::ensure(connection.client(), names, &wanted)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rooms_history_goes_with_it_unless_it_is_to_be_kept() {
    let (world, nats) = fleet().await;
    let (connection, names) = connect(&world, &nats).await;
    streams(&connection, &names).await;
    let room = |pattern: &str, on_delete: &str| -> Value {
        json!({"match": pattern, "history": {"maxMessages": 10, "onDelete": on_delete}})
    };
    world.room("class", "chat", room("team-*", "Drop")).await;
    world.room("one", "chat", room("team-red", "Keep")).await;
    until("the Room is held until its history is gone", async || {
        world
            .get(Kind::Room, "class")
            .await
            .unwrap()
            .finalizers()
            .len()
            == 1
    })
    .await;
    world
        .says(Kind::Room, "one", "Ready", "True", "InForce")
        .await;
    assert!(
        world
            .get(Kind::Room, "one")
            .await
            .unwrap()
            .finalizers()
            .is_empty()
    );
    for name in ["team-red", "team-blue", "team-green", "other"] {
        store(&connection, &names, name).await;
    }
    world.delete(Kind::Room, "class").await;
    until("the Room is gone", async || {
        world.get(Kind::Room, "class").await.is_none()
    })
    .await;
    // Those of the more specific Room and of no Room stay.
    assert_eq!(stored(&connection, &names).await, 2);
    world.delete(Kind::Room, "one").await;
    until("the Room is gone", async || {
        world.get(Kind::Room, "one").await.is_none()
    })
    .await;
    assert_eq!(stored(&connection, &names).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_whose_history_cannot_be_deleted_goes_when_it_is_told_to() {
    let (world, mut nats) = fleet().await;
    let history = json!({"maxMessages": 10});
    world
        .room("a", "chat", json!({"match": "a", "history": history}))
        .await;
    until("the Room is held until its history is gone", async || {
        world.get(Kind::Room, "a").await.unwrap().finalizers().len() == 1
    })
    .await;
    nats.kill().await;
    world.delete(Kind::Room, "a").await;
    until("the operator has tried in vain", async || {
        world.reconciliations(Kind::Room, "HistoryWaits") > 1
    })
    .await;
    assert!(world.get(Kind::Room, "a").await.is_some());
    let skip = json!({"metadata": {"annotations": {"sluice.dev/skip-history": "true"}}});
    world.edit(Kind::Room, "a", skip).await;
    until("the Room is gone", async || {
        world.get(Kind::Room, "a").await.is_none()
    })
    .await;
}
