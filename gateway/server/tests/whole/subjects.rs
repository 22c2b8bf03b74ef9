//! The server API by subject.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    metrics,
    native::Native,
    support::{
        fleet::{PREFIX, with_fleet},
        kept, until,
    },
};

/// What is asked for in turn, and one thing that each answer says.
const TALK: [(&str, &str, &str, &str); 13] = [
    (
        "join_user",
        r#"{"room":"kept-a","user":"ann"}"#,
        "/sessions",
        "1",
    ),
    (
        "join_user",
        r#"{"room":"kept-a","user":"bob"}"#,
        "/sessions",
        "1",
    ),
    (
        "publish",
        r#"{"room":"kept-a","event":"m","data":7,"id":"x"}"#,
        "/id",
        r#""x""#,
    ),
    ("presence", r#"{"room":"kept-a","limit":10}"#, "/count", "2"),
    (
        "history",
        r#"{"room":"kept-a","after":0}"#,
        "/messages/0/data",
        "7",
    ),
    (
        "direct",
        r#"{"user":"bob","event":"d","data":1}"#,
        "/sessions",
        "1",
    ),
    ("broadcast", r#"{"event":"all","data":1}"#, "/sessions", "2"),
    (
        "sessions",
        r#"{"user":"ann"}"#,
        "/sessions/0/user",
        r#""ann""#,
    ),
    (
        "leave_session",
        r#"{"room":"kept-a","session":"SESSION"}"#,
        "/sessions",
        "1",
    ),
    (
        "join_session",
        r#"{"room":"kept-a","session":"SESSION"}"#,
        "/sessions",
        "1",
    ),
    (
        "leave_user",
        r#"{"room":"kept-a","user":"bob"}"#,
        "/sessions",
        "1",
    ),
    ("revoke", r#"{"token":"t1"}"#, "/sessions", "0"),
    ("fleet", "", "/gateways/1/name", r#""b.1""#),
];

#[test]
fn every_operation_that_any_gateway_carries_out_can_be_called_by_subject() {
    with_fleet(async |fleet| {
        let documents = [fleet.cluster(json!({})), kept()];
        let a = fleet.gateway("a", &documents).await;
        let b = fleet.gateway("b.1", &documents).await;
        fleet.ready(&[&a, &b]).await;
        let (mut ann, answer) = Native::enter(&a, "ann").await;
        let (mut bob, _) = Native::enter(&b, "bob").await;
        let session = answer["session"].as_str().unwrap();
        for (operation, request, at, expected) in TALK {
            let request = request.replace("SESSION", session);
            let answer = fleet.call(operation, &request).await;
            let found = answer.pointer(at).map(Value::to_string);
            assert_eq!(found.as_deref(), Some(expected), "{operation}: {answer}");
            assert_eq!(answer["ok"], true, "{operation}: {answer}");
        }
        for client in [&mut ann, &mut bob] {
            assert_eq!(client.push("m").await["data"], 7);
            client.push("all").await;
        }
        let request = json!({"session": session, "reason": "bye"}).to_string();
        fleet.call("disconnect_session", &request).await;
        assert_eq!(ann.closed().await, 4502);
        fleet.call("disconnect_user", r#"{"user":"bob"}"#).await;
        assert_eq!(bob.closed().await, 4502);
        let mut called: BTreeSet<_> = TALK.iter().map(|(operation, ..)| *operation).collect();
        called.extend(["disconnect_session", "disconnect_user"]);
        called.extend(["drain", "undrain", "drain_progress", "rooms"]);
        assert_eq!(called, described());
    });
}

#[test]
fn what_is_about_one_gateway_is_asked_for_by_its_name() {
    with_fleet(async |fleet| {
        let slow = json!({"drain": {"settle": "60s", "window": "60s", "deadline": "2m"}});
        let documents = [fleet.cluster(slow)];
        let a = fleet.gateway("a", &documents).await;
        let b = fleet.gateway("b.1", &documents).await;
        fleet.ready(&[&a, &b]).await;
        // A gateway with nobody would be done at once.
        let _ann = Native::enter(&b, "ann").await;
        let phase = async |operation: &str| fleet.call(operation, "").await["phase"].clone();
        assert_eq!(phase("drain_progress.b=2E1").await, "serving");
        fleet.call("drain.b=2E1", "{}").await;
        until(async || phase("drain_progress.b=2E1").await == "settle").await;
        assert_eq!(phase("drain_progress.a").await, "serving");
        assert_eq!(phase("undrain.b=2E1").await, "serving");
        until(async || fleet.call("rooms.b=2E1", "").await["stores"] == true).await;
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

#[test]
fn two_gateways_of_one_name_say_so() {
    with_fleet(async |fleet| {
        let one = fleet.gateway("a", &[fleet.cluster(json!({}))]).await;
        let other = fleet.gateway("a", &[fleet.cluster(json!({}))]).await;
        for gateway in [&one, &other] {
            until(async || metrics::figure(gateway, "sluice_backbone_namesakes").await == 1).await;
        }
    });
}
