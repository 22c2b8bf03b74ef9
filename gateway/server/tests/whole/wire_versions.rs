//! Gateways in a fleet whose rollouts are finalised.

use serde_json::json;
use sluice_contract::WireVersion;

use crate::support::{Gateway, fleet::with_fleet, until};

/// The status and text of `/readyz`.
async fn readyz(gateway: &Gateway) -> (u16, String) {
    let url = format!("http://{}/readyz", gateway.embedded.ops());
    let answer = reqwest::get(&url).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[test]
fn a_gateway_that_reads_less_than_what_is_finalised_is_not_ready_and_says_why() {
    with_fleet(async |fleet| {
        let documents = [fleet.cluster(json!({}))];
        let first = fleet.gateway("a", &documents).await;
        let reads = WireVersion::CURRENT;
        fleet.connection.finalise(reads).await.unwrap();
        until(async || readyz(&first).await.0 == 200).await;

        let newer = WireVersion(reads.0 + 1);
        fleet.connection.finalise(newer).await.unwrap();
        until(async || readyz(&first).await.0 == 503).await;
        let later = fleet.gateway("b", &documents).await;
        for gateway in [&first, &later] {
            let (status, text) = readyz(gateway).await;
            assert_eq!(status, 503);
            let (reads, newer) = (reads.0, newer.0);
            let why = format!("reads the wire version {reads} and its fleet may write {newer}");
            assert!(text.contains(&why), "{text}");
        }
    });
}
