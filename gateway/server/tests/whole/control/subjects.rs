//! The server API by subject.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fleet::{PREFIX, with_fleet};
use crate::{
    native::Native,
    support::{kept, until},
};

#[test]
fn every_operation_of_the_api_can_be_called_by_subject() {
    with_fleet(async |fleet| {
        let documents = [fleet.cluster(json!({})), kept()];
        let (a, b) = (
            fleet.gateway("a", &documents).await,
            fleet.gateway("b.1", &documents).await,
        );
        fleet.ready(&[&a, &b]).await;
        let (mut ann, answer) = Native::enter(&a, "ann").await;
        let (mut bob, _) = Native::enter(&b, "bob").await;
        let session = answer["session"].clone();
        let mut called = BTreeSet::new();
        let mut call = async |operation: &'static str, request: Value| {
            called.insert(operation);
            let answer = fleet.call(operation, &request).await;
            assert_eq!(answer["ok"], true, "{operation}: {answer}");
            answer
        };
        let room = "kept-a";
        call("join_user", json!({"room": room, "user": "ann"})).await;
        call("join_user", json!({"room": room, "user": "bob"})).await;
        let published = call(
            "publish",
            json!({"room": room, "event": "m", "data": 7, "id": "x"}),
        )
        .await;
        assert_eq!(published["id"], "x");
        for client in [&mut ann, &mut bob] {
            assert_eq!(client.push("m").await["data"], 7);
        }
        let present = call("presence", json!({"room": room, "limit": 10})).await;
        assert_eq!(present["count"], 2, "{present}");
        let page = call("history", json!({"room": room, "after": 0})).await;
        assert_eq!(page["messages"][0]["id"], "x");
        assert_eq!(
            call("direct", json!({"user": "bob", "event": "d", "data": 1})).await["sessions"],
            1
        );
        bob.push("d").await;
        call("broadcast", json!({"event": "all", "data": 1})).await;
        for client in [&mut ann, &mut bob] {
            client.push("all").await;
        }
        let listed = call("sessions", json!({"user": "ann"})).await;
        assert_eq!(listed["sessions"][0]["session"], session);
        call("leave_session", json!({"room": room, "session": session})).await;
        call("join_session", json!({"room": room, "session": session})).await;
        call("leave_user", json!({"room": room, "user": "bob"})).await;
        call(
            "disconnect_session",
            json!({"session": session, "reason": "bye"}),
        )
        .await;
        assert_eq!(ann.closed().await, 4502);
        call("disconnect_user", json!({"user": "bob"})).await;
        assert_eq!(bob.closed().await, 4502);
        call("revoke", json!({"token": "t1"})).await;
        let listed = call("fleet", json!({})).await;
        assert_eq!(listed["gateways"].as_array().unwrap().len(), 2);

        // These are about one gateway, whose name is a token.
        let progress = fleet.call("drain_progress.b=2E1", &json!({})).await;
        assert_eq!(progress["phase"], "serving");
        let progress = fleet.call("drain.b=2E1", &json!({"reason": "test"})).await;
        assert_eq!(progress["phase"], "settle");
        let progress = fleet.call("drain_progress.a", &json!({})).await;
        assert_eq!(progress["phase"], "serving");
        let progress = fleet.call("undrain.b=2E1", &json!({})).await;
        assert_eq!(progress["phase"], "serving");
        called.extend(["drain", "undrain", "drain_progress"]);
        assert_eq!(called, described());
    });
}

fn described() -> BTreeSet<&'static str> {
    let lines = sluice_api::openapi().lines();
    let ids = lines.filter_map(|line| line.trim().strip_prefix(r#""operationId": ""#));
    ids.filter_map(|id| id.split('"').next()).collect()
}

#[test]
fn a_refusal_has_the_same_form_as_over_http_and_the_headers_of_a_nats_service() {
    with_fleet(async |fleet| {
        let gateway = fleet.gateway("a", &[fleet.cluster(json!({}))]).await;
        fleet.ready(&[&gateway]).await;
        let request = json!({"room": "r", "namespace": "/nowhere", "event": "m", "data": 1});
        let subject = format!("{PREFIX}.api.publish");
        let answer = fleet
            .client
            .request(subject, request.to_string().into())
            .await
            .unwrap();
        let body: Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(body["error"]["code"], "namespace_unknown");
        let headers = answer.headers.unwrap();
        assert_eq!(
            headers.get("Nats-Service-Error").unwrap().as_str(),
            "namespace_unknown"
        );
        assert_eq!(
            headers.get("Nats-Service-Error-Code").unwrap().as_str(),
            "404"
        );
    });
}

#[test]
fn tools_find_the_gateways_as_instances_of_one_service() {
    with_fleet(async |fleet| {
        let gateway = fleet.gateway("a", &[fleet.cluster(json!({}))]).await;
        fleet.ready(&[&gateway]).await;
        let answer = fleet
            .client
            .request("$SRV.INFO.sluice-api", "".into())
            .await
            .unwrap();
        let info: Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(info["metadata"]["gateway"], "a");
        let endpoints = info["endpoints"].as_array().unwrap();
        assert!(
            endpoints
                .iter()
                .any(|it| it["subject"] == format!("{PREFIX}.api.publish"))
        );
    });
}

#[test]
fn the_api_comes_back_with_nats() {
    with_fleet(async |mut fleet| {
        let gateway = fleet.gateway("a", &[fleet.cluster(json!({}))]).await;
        fleet.ready(&[&gateway]).await;
        fleet.server.kill().await;
        fleet.server.restart().await;
        until(async || {
            let answer = fleet
                .client
                .request(format!("{PREFIX}.api.fleet"), "".into())
                .await;
            answer.is_ok()
        })
        .await;
    });
}
