//! What a fleet says of its rooms, with real gateways.

use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sluice_contract::Names;
use sluice_operator::Kind;
use sluice_test_apiserver::until;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use super::{
    CLUSTER, Stage,
    people::{Socket, enter},
};
use crate::support::World;

/// A client that is connected.
async fn client(world: &World) -> Socket {
    let mut found = None;
    until("a client is connected", async || {
        found = enter(&world.api(Kind::Pod)).await;
        found.is_some()
    })
    .await;
    found.unwrap()
}

/// What a client is told that asks for something.
async fn ask(client: &mut Socket, request: Value) -> Value {
    client
        .send(Message::text(request.to_string()))
        .await
        .unwrap();
    loop {
        let Message::Text(text) = client.next().await.unwrap().unwrap() else {
            continue;
        };
        let answer: Value = serde_json::from_str(&text).unwrap();
        if answer["id"] == request["id"] {
            return answer;
        }
    }
}

async fn room(stage: &Stage) {
    let spec = json!({"match": "support-*", "history": {"maxMessages": 100}});
    stage.world.room("support", "chat", spec).await;
}

async fn status(stage: &Stage) -> (Option<i64>, Option<i64>, Option<String>) {
    let room = stage.world.get(Kind::Room, "support").await.unwrap();
    let status = &room.data["status"];
    (
        status["members"].as_i64(),
        status["rate"].as_i64(),
        room.metadata.resource_version,
    )
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "whole fleets, one at a time: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn a_fleet_is_ready_no_sooner_than_its_gateways_can_store_messages() {
    // Somebody else's stream takes the subjects of this one's.
    let stage = Stage::begin(1, async |world, nats| {
        let names = Names::new(&world.namespace, "chat");
        let client = async_nats::connect(nats.url()).await.unwrap();
        let other = async_nats::jetstream::stream::Config {
            name: "other".to_owned(),
            subjects: vec![names.all_stored()],
            ..Default::default()
        };
        async_nats::jetstream::new(client)
            .create_stream(other)
            .await
            .unwrap();
    })
    .await;
    room(&stage).await;
    let says = async |status, reason| {
        stage
            .world
            .says(CLUSTER, "chat", "Ready", status, reason)
            .await
    };
    let message = says("False", "BackboneStarting").await;
    assert!(
        message.contains("No gateway can store messages"),
        "{message}"
    );
    let nats = async_nats::connect(stage.nats.url()).await.unwrap();
    async_nats::jetstream::new(nats)
        .delete_stream("other")
        .await
        .unwrap();
    says("True", "Serving").await;
    let mut ann = client(&stage.world).await;
    let join = json!({"id": 2, "op": "join", "room": "support-1"});
    assert_eq!(ask(&mut ann, join).await["ok"], true);
    let publish = json!({"id": 3, "op": "publish", "room": "support-1", "event": "m", "data": 1});
    assert_eq!(ask(&mut ann, publish).await["ok"], true);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "whole fleets, one at a time: cargo test -p sluice-operator --test apiserver -- --ignored --test-threads 1"]
async fn a_room_says_who_is_there_and_how_much_is_published_and_is_seldom_written() {
    let stage = Stage::set(2, 0).await;
    room(&stage).await;
    stage
        .world
        .says(Kind::Room, "support", "Ready", "True", "InForce")
        .await;
    let mut clients = Vec::new();
    for n in 0..4 {
        let mut one = client(&stage.world).await;
        let join = json!({"id": 2, "op": "join", "room": format!("support-{}", n % 2)});
        assert_eq!(ask(&mut one, join).await["ok"], true);
        clients.push(one);
    }
    let started = Instant::now();
    let (mut versions, mut id) = (Vec::new(), 10);
    until(
        "the Room says who is there, and how much is published",
        async || {
            id += 1;
            // Each in turn, since who reads nothing answers no heartbeat.
            let n = id % clients.len();
            let room = format!("support-{}", n % 2);
            let publish = json!({"id": id, "op": "publish", "room": room, "event": "m", "data": 1});
            assert_eq!(ask(&mut clients[n], publish).await["ok"], true);
            sleep(Duration::from_millis(50)).await;
            let (members, rate, version) = status(&stage).await;
            if versions.last() != Some(&version) {
                versions.push(version);
            }
            members == Some(4) && rate > Some(0)
        },
    )
    .await;
    let most = started.elapsed().as_secs() / 30 + 2;
    assert!((versions.len() as u64) <= most, "{versions:?}");
    println!("{:?} after {:?}", status(&stage).await, started.elapsed());
}
