//! Whether a gateway can store what is published.

use reqwest::Method;
use serde_json::{Value, json};

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
