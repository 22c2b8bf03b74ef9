use reqwest::Method;
use serde_json::json;
use sluice_contract::{DrainPhase, DrainRequest};

use crate::harness::{answer, assert_refused, start};

#[tokio::test]
async fn a_drain_begins_goes_on_and_ends() {
    let api = start().await;
    let request = json!({"reason": "rollout", "connectionsPerSecond": 50.0});
    let (status, body) = api.post("/v1/drain", request).await;
    assert_eq!((status.as_u16(), &body["phase"]), (200, &json!("settle")));
    let asked = api.draining.0.lock().unwrap().1.clone().unwrap();
    assert_eq!(asked.reason.as_deref(), Some("rollout"));
    assert_eq!(asked.connections_per_second, Some(50.0));
    let (_, progress) = api.get("/v1/drain").await;
    let expected = json!({"phase": "settle", "moved": 3, "remaining": 7, "connections": 9, "rate": 2.0, "eta": 3.5});
    assert_eq!(progress, expected);
    assert_eq!(api.delete("/v1/drain").await.1["phase"], json!("serving"));
}

#[tokio::test]
async fn a_drain_can_be_of_some_connections() {
    let api = start().await;
    let request = json!({"reason": "rebalance", "connections": 12});
    assert_eq!(api.post("/v1/drain", request).await.0, 200);
    let asked = api.draining.0.lock().unwrap().1.clone().unwrap();
    assert_eq!(asked.connections, Some(12));
}

#[tokio::test]
async fn a_drain_needs_no_body() {
    let api = start().await;
    let (status, _) = answer(api.request(Method::POST, "/v1/drain")).await;
    assert_eq!(status, 200);
    assert_eq!(
        api.draining.0.lock().unwrap().1,
        Some(DrainRequest::default())
    );
}

#[tokio::test]
async fn what_moves_nothing_or_a_long_reason_is_refused() {
    let api = start().await;
    let answer = api.post("/v1/drain", json!({"connections": 0})).await;
    assert_refused(&answer, 422, "connections_invalid");
    let answer = api
        .post("/v1/drain", json!({"connectionsPerSecond": 0}))
        .await;
    assert_refused(&answer, 422, "rate_invalid");
    let answer = api
        .post("/v1/drain", json!({"reason": "x".repeat(124)}))
        .await;
    assert_refused(&answer, 400, "reason_too_long");
}

#[tokio::test]
async fn a_gateway_that_ends_cannot_go_back() {
    let api = start().await;
    api.draining.0.lock().unwrap().0 = DrainPhase::Release;
    assert_refused(&api.delete("/v1/drain").await, 409, "drain_finished");
}
