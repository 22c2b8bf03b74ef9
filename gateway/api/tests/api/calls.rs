//! Operations without HTTP.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use serde_json::{Value, json};
use sluice_api::{Called, Caller};
use sluice_contract::Code;

use crate::harness::{Running, start};

async fn call(api: &Running, operation: &str, arguments: Value) -> (Called, Value) {
    call_raw(api, operation, &arguments.to_string()).await
}

async fn call_raw(api: &Running, operation: &str, arguments: &str) -> (Called, Value) {
    let caller = Caller::new(api.api.clone());
    let outcome = caller
        .call(operation, arguments.as_bytes(), HeaderMap::new())
        .await;
    let answer = serde_json::from_slice(&outcome.json).unwrap();
    (outcome, answer)
}

#[tokio::test]
async fn one_object_holds_path_query_and_body() {
    let api = start().await;
    let text =
        r#"{"room":"a/b ü.%2F","namespace":"/admin","event":"order","data":[1.50],"id":"m1"}"#;
    let (outcome, answer) = call_raw(&api, "publish", text).await;
    assert_eq!((outcome.status, outcome.refused), (200, None), "{answer}");
    assert_eq!(answer["id"], "m1");
    let page = json!({"room": "a/b ü.%2F", "namespace": "/admin", "limit": 5, "after": 0});
    let (outcome, answer) = call(&api, "history", page).await;
    assert_eq!(outcome.status, 200, "{answer}");
    let text = String::from_utf8(outcome.json.to_vec()).unwrap();
    assert!(text.contains("[1.50]"), "{text}");
}

#[tokio::test]
async fn a_room_whose_name_no_http_client_can_write_in_a_path_can_be_published_to() {
    let api = start().await;
    for room in [".", ".."] {
        let message = json!({"room": room, "event": "order", "data": 1});
        let (outcome, answer) = call(&api, "publish", message).await;
        assert_eq!(outcome.status, 200, "{answer}");
        let (_, page) = call(&api, "history", json!({"room": room})).await;
        assert_eq!(page["messages"][0]["event"], "order", "{page}");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_as_over_http() {
    let api = start().await;
    for (operation, arguments, code) in [
        ("nonsense", "{}", "operation_unknown"),
        ("publish", "[]", "json_invalid"),
        ("publish", r#"{"event":"e","data":1}"#, "path_invalid"),
        (
            "publish",
            r#"{"room":"","event":"e","data":1}"#,
            "path_invalid",
        ),
        (
            "publish",
            r#"{"room":{},"event":"e","data":1}"#,
            "path_invalid",
        ),
        (
            "publish",
            r#"{"room":"LONG","event":"e","data":1}"#,
            "path_invalid",
        ),
        (
            "publish",
            r#"{"room":"FAR TOO LONG","event":"e","data":1}"#,
            "path_invalid",
        ),
        ("publish", r#"{"room":"lobby","event":"e"}"#, "body_invalid"),
        (
            "publish",
            r#"{"room":"lobby","event":"e","data":1,"x":1}"#,
            "body_invalid",
        ),
        (
            "publish",
            r#"{"room":"nowhere","event":"e","data":1}"#,
            "room_unknown",
        ),
        (
            "history",
            r#"{"room":"lobby","limit":[5]}"#,
            "query_invalid",
        ),
        (
            "history",
            r#"{"room":"lobby","limit":0}"#,
            "limit_out_of_range",
        ),
        ("history", r#"{"room":"lobby","event":"e"}"#, "body_invalid"),
    ] {
        let arguments = arguments.replace("FAR TOO LONG", &"x".repeat(70_000));
        let arguments = arguments.replace("LONG", &"x".repeat(300));
        let (outcome, answer) = call_raw(&api, operation, &arguments).await;
        assert_eq!(outcome.refused.map(Code::as_str), Some(code), "{answer}");
        assert_eq!(answer["error"]["code"], code);
        assert!(outcome.status >= 400);
    }
    let counted = r#"sluice_api_requests_total{operation="unknown",outcome="operation_unknown"} 1"#;
    assert!(api.metrics().contains(counted), "{}", api.metrics());
}

#[tokio::test]
async fn calls_share_the_bound_on_requests_with_http() {
    let api = crate::harness::start_with(sluice_api::Limits {
        requests: 0,
        ..sluice_api::Limits::default()
    })
    .await;
    let (outcome, _) = call(&api, "sessions", json!({})).await;
    assert_eq!(outcome.refused, Some(Code::ApiOverloaded));
}

#[tokio::test]
async fn every_operation_of_the_description_can_be_called_and_takes_each_name_once() {
    let api = start().await;
    let caller = Caller::new(api.api.clone());
    let callable: BTreeSet<_> = caller.operations().chain(caller.own_operations()).collect();
    let description: Value = serde_json::from_str(sluice_api::openapi()).unwrap();
    let mut described = BTreeSet::new();
    for methods in description["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            described.insert(id);
            assert!(callable.contains(id), "{id}");
            let parameters = operation["parameters"].as_array().unwrap().iter();
            let parameters = parameters.filter(|it| it["in"] != "header");
            let mut names: Vec<_> = parameters.map(|it| it["name"].as_str().unwrap()).collect();
            let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let body = body
                .as_str()
                .and_then(|body| description.pointer(&body[1..]));
            let body = body.and_then(|body| body["properties"].as_object());
            names.extend(body.into_iter().flatten().map(|(name, _)| name.as_str()));
            let distinct: BTreeSet<_> = names.iter().collect();
            assert_eq!(distinct.len(), names.len(), "{id}: {names:?}");
        }
    }
    assert_eq!(described.len(), callable.len());
}

#[tokio::test]
async fn the_fleet_is_listed() {
    let api = start().await;
    let (_, answer) = call(&api, "fleet", json!({})).await;
    assert_eq!(answer, api.get("/v1/fleet").await.1);
    assert_eq!(answer["gateways"][0]["number"], "0000002a");
    assert_eq!(answer["gateways"][0]["policy"]["revision"], 0);
}

#[tokio::test]
async fn what_the_gateway_has_of_each_room_is_listed_by_name() {
    let api = start().await;
    let (_, answer) = call(&api, "rooms", json!({})).await;
    assert_eq!(answer, api.get("/v1/rooms").await.1);
    assert_eq!(answer["stores"], true);
    let rooms = json!([
        {"name": "lobby", "members": 2, "published": 7},
        {"name": "support", "members": 5, "published": 7},
    ]);
    assert_eq!(answer["rooms"], rooms);
}
