//! Documents that come over NATS.

use serde_json::json;

use crate::{
    metrics::figure,
    native::Native,
    support::{
        cluster,
        fleet::{policy, with_fleet},
        room, until,
    },
};

#[test]
fn documents_of_the_bucket_hold_at_all_gateways_and_nobody_is_disconnected() {
    with_fleet(async |fleet| {
        let documents = [fleet.cluster(json!({}))];
        let (a, b) = (
            fleet.gateway("a", &documents).await,
            fleet.gateway("b", &documents).await,
        );
        let (mut ann, _) = Native::enter(&a, "ann").await;
        let (mut bob, _) = Native::enter(&b, "bob").await;
        for client in [&mut ann, &mut bob] {
            client.must(json!({"op": "join", "room": "open"})).await;
        }
        let closed = room("closed", "closed-*", json!({"access": {"join": "false"}}));
        let revision = fleet.push(&[fleet.cluster(json!({})), closed]).await;
        for gateway in [&a, &b] {
            until(async || policy(gateway).await["revision"] == revision).await;
        }
        for client in [&mut ann, &mut bob] {
            let answer = client.ask(json!({"op": "join", "room": "closed-1"})).await;
            assert_eq!(answer["error"]["code"], "access_denied", "{answer}");
            client
                .must(json!({"op": "publish", "room": "open", "event": "m", "data": 1}))
                .await;
        }
        let digest = policy(&a).await["digest"].clone();
        assert_eq!(digest, policy(&b).await["digest"]);
    });
}

#[test]
fn documents_that_cannot_be_used_are_refused_and_the_fleet_is_told() {
    with_fleet(async |fleet| {
        let documents = [fleet.cluster(json!({}))];
        let (a, b) = (
            fleet.gateway("a", &documents).await,
            fleet.gateway("b", &documents).await,
        );
        let good = fleet.push(&documents).await;
        for gateway in [&a, &b] {
            until(async || policy(gateway).await["revision"] == good).await;
        }
        let rule = json!({"access": {"join": "claims.roles.all(x, nonsense(x))"}});
        let bad = fleet
            .push(&[fleet.cluster(json!({})), room("bad", "bad-*", rule)])
            .await;
        for gateway in [&a, &b] {
            until(async || policy(gateway).await.get("refused").is_some()).await;
            let policy = policy(gateway).await;
            let refused = policy["refused"].as_str().unwrap();
            assert!(
                refused.starts_with(&format!("revision {bad}: ")) && refused.contains("nonsense"),
                "{refused}"
            );
            assert_eq!(policy["revision"], good);
            assert_eq!(figure(gateway, "sluice_policy_refused_total").await, 1);
            let (mut ann, _) = Native::enter(gateway, "ann").await;
            ann.must(json!({"op": "join", "room": "bad-1"})).await;
        }
        // What a gateway says of another one comes with its heartbeat.
        until(async || {
            let fleet = a.api(reqwest::Method::GET, "/v1/fleet", &json!(null)).await;
            let refused = fleet["gateways"].as_array().unwrap().iter();
            refused
                .filter(|it| it["policy"].get("refused").is_some())
                .count()
                == 2
        })
        .await;
        let mended = fleet.push(&documents).await;
        until(async || policy(&a).await["revision"] == mended).await;
        assert_eq!(policy(&a).await.get("refused"), None);
    });
}

#[test]
fn documents_of_another_cluster_or_with_a_secret_are_refused() {
    with_fleet(async |fleet| {
        let documents = [fleet.cluster(json!({}))];
        let gateway = fleet.gateway("a", &documents).await;
        let mut other = fleet.cluster(json!({}));
        other["metadata"]["name"] = "other".into();
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "v"},
        });
        for (documents, reason) in [
            (vec![other], "another cluster"),
            (vec![fleet.cluster(json!({})), secret], "the Secret s"),
            (vec![json!("no documents")], "map"),
        ] {
            let revision = fleet.push(&documents).await;
            let start = format!("revision {revision}: ");
            until(async || {
                let policy = policy(&gateway).await;
                let refused = policy["refused"].as_str().unwrap_or_default();
                refused.starts_with(&start) && refused.contains(reason)
            })
            .await;
        }
    });
}

#[test]
fn a_gateway_that_starts_takes_the_documents_of_the_bucket_and_its_own_secrets() {
    with_fleet(async |fleet| {
        let limits = json!({"limits": {"payloadBytes": 2048}});
        let revision = fleet.push(&[fleet.cluster(limits)]).await;
        let gateway = fleet.gateway("a", &[fleet.cluster(json!({}))]).await;
        assert_eq!(policy(&gateway).await["revision"], revision);
        assert_eq!(figure(&gateway, "sluice_policy_revision").await, revision);
        // The bucket rules from then on.
        gateway.reload(&[fleet.cluster(json!({"rooms": {"default": "Deny"}}))]);
        let again = fleet.push(&[fleet.cluster(json!({}))]).await;
        until(async || policy(&gateway).await["revision"] == again).await;
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        ann.must(json!({"op": "join", "room": "r"})).await;
    });
}

#[test]
fn a_gateway_starts_by_its_files_while_nats_is_away_and_takes_the_bucket_when_it_is_back() {
    with_fleet(async |mut fleet| {
        let revision = fleet
            .push(&[fleet.cluster(json!({"rooms": {"default": "Deny"}}))])
            .await;
        let documents = [fleet.cluster(json!({}))];
        fleet.server.kill().await;
        let gateway = fleet.gateway("a", &documents).await;
        assert_eq!(policy(&gateway).await["revision"], 0);
        assert_eq!(figure(&gateway, "sluice_control_connected").await, 0);
        let (_, answer) = Native::enter(&gateway, "ann").await;
        assert_eq!(answer["ok"], true, "{answer}");
        fleet.server.restart().await;
        until(async || policy(&gateway).await["revision"] == revision).await;
        assert_eq!(figure(&gateway, "sluice_control_connected").await, 1);
    });
}

#[test]
fn a_gateway_by_itself_says_what_its_files_say() {
    crate::support::with(&[cluster(json!({}))], async |gateway| {
        let before = policy(&gateway).await;
        assert_eq!(before["revision"], 0);
        gateway.reload(&[cluster(json!({"rooms": {"default": "Deny"}}))]);
        until(async || policy(&gateway).await["digest"] != before["digest"]).await;
    });
}
