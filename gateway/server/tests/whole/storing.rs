//! Whether a gateway can store what is published.

use reqwest::Method;
use serde_json::{Value, json};
use sluice_test_nats::{Cluster, Server, Settings};

use crate::{
    native::Native,
    support::{Gateway, cluster, fleet::with_fleet, kept, until, with},
};

async fn stores(gateway: &Gateway) -> bool {
    let rooms = gateway.api(Method::GET, "/v1/rooms", &Value::Null).await;
    rooms["stores"] == true
}

#[test]
fn a_gateway_says_that_it_stores_when_it_does_and_no_more_when_nats_is_away() {
    with_fleet(async |mut fleet| {
        let gateway = fleet
            .gateway("a", &[fleet.cluster(json!({})), kept()])
            .await;
        until(async || stores(&gateway).await).await;
        // Nothing is missing any more.
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        ann.must(json!({"op": "join", "room": "kept-a"})).await;
        ann.publish("kept-a", 1).await;
        fleet.server.kill().await;
        until(async || !stores(&gateway).await).await;
    });
}

#[test]
fn a_gateway_says_that_it_stores_no_more_when_the_servers_have_no_quorum() {
    with_fleet(async |fleet| {
        let mut servers = Cluster::start(3, Settings::default().jetstream()).await;
        let mut cluster = fleet.cluster(json!({}));
        let urls = servers.urls().join(",");
        cluster["spec"]["backbone"] = json!({"nats": {"external": {"url": urls}}});
        let gateway = fleet.gateway("a", &[cluster, kept()]).await;
        until(async || stores(&gateway).await).await;
        for server in &mut servers.servers[1..] {
            server.kill().await;
        }
        until(async || !stores(&gateway).await).await;
    });
}

#[test]
fn a_join_is_refused_where_the_stream_does_not_answer() {
    with_fleet(async |fleet| {
        let server = Server::start(Settings::default()).await;
        let mut cluster = fleet.cluster(json!({}));
        cluster["spec"]["backbone"] = json!({"nats": {"external": {"url": server.url()}}});
        let gateway = fleet.gateway("a", &[cluster, kept()]).await;
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        let answer = ann.ask(json!({"op": "join", "room": "kept-a"})).await;
        assert_eq!(answer["error"]["code"], "backbone_unavailable", "{answer}");
    });
}

/// A room whose messages are kept for a second.
fn brief() -> Value {
    let mut brief = kept();
    brief["metadata"]["name"] = json!("brief");
    brief["spec"]["match"] = json!("brief-*");
    brief["spec"]["history"]["maxAge"] = json!("1s");
    brief
}

/// Publishes under the same id as ever, and says which message has it now.
async fn offset(client: &mut Native, room: &str) -> u64 {
    let publish = json!({"op": "publish", "room": room, "event": "m", "data": 1, "messageId": "x"});
    client.must(publish).await["offset"].as_u64().unwrap()
}

/// Waits until the room holds no message.
async fn expired(gateway: &Gateway, room: &str) {
    let path = format!("/v1/rooms/{room}/history");
    until(async || {
        let page = gateway.api(Method::GET, &path, &Value::Null).await;
        page["messages"].as_array().is_some_and(Vec::is_empty)
    })
    .await;
}

/// A client, and two more of its user to publish by.
async fn trio(first: &Gateway, second: &Gateway) -> [Native; 3] {
    let mut all = [
        Native::enter(first, "ann").await.0,
        Native::enter(first, "ann").await.0,
        Native::enter(second, "ann").await.0,
    ];
    for room in ["brief-a", "kept-a"] {
        all[0].must(json!({"op": "join", "room": room})).await;
    }
    all
}

async fn an_id_is_a_duplicate_while_its_message_is_there(first: &Gateway, second: &Gateway) {
    let [mut ann, mut one, mut other] = trio(first, second).await;
    let mut last = 0;
    for _ in 0..2 {
        let stored = offset(&mut one, "brief-a").await;
        assert!(stored > last, "{stored} is not behind {last}");
        last = stored;
        ann.data(1).await;
        expired(second, "brief-a").await;
    }
    let kept = offset(&mut one, "kept-a").await;
    assert_eq!(offset(&mut other, "kept-a").await, kept);
    ann.data(1).await;
}

#[test]
fn an_id_that_is_used_again_stores_a_message_once_the_first_has_expired() {
    with(&[cluster(json!({})), kept(), brief()], async |gateway| {
        an_id_is_a_duplicate_while_its_message_is_there(&gateway, &gateway).await;
    });
    with_fleet(async |fleet| {
        let documents = [fleet.cluster(json!({})), kept(), brief()];
        let first = fleet.gateway("a", &documents).await;
        let second = fleet.gateway("b", &documents).await;
        until(async || stores(&first).await && stores(&second).await).await;
        an_id_is_a_duplicate_while_its_message_is_there(&first, &second).await;
    });
}
