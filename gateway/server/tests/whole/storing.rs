//! Whether a gateway can store what is published.

use reqwest::Method;
use serde_json::{Value, json};
use sluice_test_nats::{Cluster, Server, Settings};

use crate::{
    native::Native,
    support::{Gateway, fleet::with_fleet, kept, until},
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
