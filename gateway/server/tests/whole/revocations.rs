//! What is revoked, everywhere and for as long as it counts.

use reqwest::Method;
use serde_json::json;

use crate::{
    native::Native,
    support::{API_KEY, Gateway, fleet::with_fleet, until},
};

fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()
}

#[test]
fn who_is_revoked_is_cut_off_at_all_gateways_and_at_those_that_start_later() {
    with_fleet(async |fleet| {
        let documents = [fleet.cluster(json!({}))];
        let (a, b) = (
            fleet.gateway("a", &documents).await,
            fleet.gateway("b", &documents).await,
        );
        let (mut here, _) = Native::enter(&a, "ann").await;
        let (mut there, _) = Native::enter(&b, "ann").await;
        let (mut bob, _) = Native::enter(&b, "bob").await;
        // Tokens that are made later in this test count too.
        let revocation = json!({"user": "ann", "issuedBefore": now() + 600});
        a.api(Method::POST, "/v1/revocations", &revocation).await;
        assert_eq!(here.closed().await, 4501);
        assert_eq!(there.closed().await, 4501);
        bob.must(json!({"op": "join", "room": "r"})).await;
        let later = fleet.gateway("c", &documents).await;
        for gateway in [&a, &b, &later] {
            until(async || {
                let (_, answer) = Native::enter(gateway, "ann").await;
                answer["error"]["code"] == "token_revoked"
            })
            .await;
        }
    });
}

#[test]
fn a_gateway_that_only_reads_the_bucket_cuts_off_whom_it_has() {
    with_fleet(async |fleet| {
        let gateway = fleet.gateway("a", &[fleet.cluster(json!({}))]).await;
        let (mut ann, answer) = Native::enter(&gateway, "ann").await;
        let session = answer["session"].as_str().unwrap();
        let now = now();
        let revocation = sluice_contract::Revocation::Session {
            id: session.into(),
            until: now + 600,
        };
        fleet.connection.revoke(&revocation, now).await.unwrap();
        ann.push("revoked").await;
        assert_eq!(ann.closed().await, 4501);
    });
}

#[test]
fn a_revocation_goes_from_the_bucket_when_it_can_be_forgotten() {
    with_fleet(async |fleet| {
        let gateway = fleet.gateway("a", &[fleet.cluster(json!({}))]).await;
        let now = now();
        for (token, until) in [("short", now + 12), ("long", now + 600), ("short", now + 8)] {
            let revocation = json!({"token": token, "until": until});
            gateway
                .api(Method::POST, "/v1/revocations", &revocation)
                .await;
        }
        let context = async_nats::jetstream::new(fleet.client.clone());
        let bucket = context
            .get_key_value("SLUICE_default_test_CONTROL")
            .await
            .unwrap();
        assert!(bucket.get("revoked.token.short").await.unwrap().is_some());
        until(async || bucket.get("revoked.token.short").await.unwrap().is_none()).await;
        assert!(self::now() >= now + 12);
        assert!(bucket.get("revoked.token.long").await.unwrap().is_some());
    });
}

#[test]
fn while_nats_is_away_a_revocation_holds_here_and_is_answered_with_a_refusal() {
    with_fleet(async |mut fleet| {
        let gateway = fleet.gateway("a", &[fleet.cluster(json!({}))]).await;
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        fleet.server.kill().await;
        let answer = revoke_ann(&gateway).await;
        assert_eq!(answer.status(), 503);
        assert!(
            answer
                .text()
                .await
                .unwrap()
                .contains("backbone_unavailable")
        );
        assert_eq!(ann.closed().await, 4501);
        let (_, answer) = Native::enter(&gateway, "ann").await;
        assert_eq!(answer["error"]["code"], "token_revoked");
        // Asked for again, it holds everywhere.
        fleet.server.restart().await;
        until(async || revoke_ann(&gateway).await.status().is_success()).await;
        let later = fleet.gateway("b", &[fleet.cluster(json!({}))]).await;
        let (_, answer) = Native::enter(&later, "ann").await;
        assert_eq!(answer["error"]["code"], "token_revoked");
    });
}

async fn revoke_ann(gateway: &Gateway) -> reqwest::Response {
    let url = format!("http://{}/v1/revocations", gateway.embedded.api());
    let request = reqwest::Client::new().post(url).bearer_auth(API_KEY);
    let revocation = json!({"user": "ann", "issuedBefore": now() + 600});
    let request = request.body(revocation.to_string());
    request.send().await.unwrap()
}
