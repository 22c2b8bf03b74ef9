use reqwest::Method;
use serde_json::json;
use sluice_api::{Keys, Limits};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

use crate::harness::{KEY, answer, assert_refused, start, start_with, until};

#[tokio::test]
async fn without_a_configured_key_everything_is_refused() {
    let api = start().await;
    api.api.set_keys(Keys::default());
    assert_refused(
        &api.get("/v1/sessions").await,
        403,
        "api_key_not_configured",
    );
}

#[tokio::test]
async fn a_missing_or_wrong_key_is_refused() {
    let api = start().await;
    let url = format!("{}/v1/sessions", api.url);
    let response = api.http.get(&url).send().await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    assert_refused(&answer(api.http.get(&url)).await, 401, "api_key_missing");
    assert_refused(
        &answer(api.http.get(&url).bearer_auth("x")).await,
        401,
        "api_key_invalid",
    );
    let basic = api.http.get(&url).basic_auth("u", Some(KEY));
    assert_refused(&answer(basic).await, 401, "api_key_invalid");
}

#[tokio::test]
async fn keys_rotate_while_the_api_runs() {
    let api = start().await;
    api.api
        .set_keys(Keys::new([KEY, "the-next-key-0123456789"]).unwrap());
    assert_eq!(api.get("/v1/sessions").await.0, 200);
    api.api
        .set_keys(Keys::new(["the-next-key-0123456789"]).unwrap());
    assert_refused(&api.get("/v1/sessions").await, 401, "api_key_invalid");
    let next = api.http.get(format!("{}/v1/sessions", api.url));
    assert_eq!(
        answer(next.header("authorization", "bearer the-next-key-0123456789"))
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn what_is_not_there_is_refused_with_a_hint() {
    let api = start().await;
    assert_refused(&api.get("/v1/nothing").await, 404, "operation_unknown");
    assert_refused(&api.get("/v1/messages").await, 405, "method_not_allowed");
    let unkeyed = api.http.get(format!("{}/v1/nothing", api.url));
    assert_refused(&answer(unkeyed).await, 401, "api_key_missing");
}

#[tokio::test]
async fn a_large_body_is_refused() {
    let api = start_with(Limits {
        body_bytes: 100,
        ..Limits::default()
    })
    .await;
    let body = json!({"event": "e", "data": "x".repeat(100)});
    assert_refused(
        &api.post("/v1/messages", body).await,
        413,
        "payload_too_large",
    );
}

#[tokio::test]
async fn more_requests_than_allowed_at_once_are_refused() {
    let api = start_with(Limits {
        requests: 1,
        ..Limits::default()
    })
    .await;
    *api.worker.held.lock().unwrap() = Some(Vec::new());
    let first = tokio::spawn(answer(
        api.request(Method::DELETE, "/v1/users/ann/sessions"),
    ));
    until(|| !api.commands().is_empty()).await;
    let second = api
        .request(Method::GET, "/v1/sessions")
        .send()
        .await
        .unwrap();
    assert_eq!(second.headers()["retry-after"], "1");
    let second = (second.status(), second.json().await.unwrap());
    assert_refused(&second, 503, "api_overloaded");
    api.worker.held.lock().unwrap().take();
    assert_eq!(first.await.unwrap().0, 200);
    assert_eq!(api.get("/v1/sessions").await.0, 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let request_time = std::time::Duration::from_millis(20);
    let api = start_with(Limits {
        request_time,
        ..Limits::default()
    })
    .await;
    *api.worker.held.lock().unwrap() = Some(Vec::new());
    assert_refused(
        &api.delete("/v1/users/ann/sessions").await,
        504,
        "request_timeout",
    );
}

#[tokio::test]
async fn on_shutdown_a_request_under_way_is_answered() {
    let mut api = start().await;
    *api.worker.held.lock().unwrap() = Some(Vec::new());
    let request = tokio::spawn(answer(
        api.request(Method::DELETE, "/v1/users/ann/sessions"),
    ));
    until(|| !api.commands().is_empty()).await;
    api.stop.take();
    while api.http.get(&api.url).send().await.is_ok() {}
    api.worker.held.lock().unwrap().take();
    assert_eq!(request.await.unwrap().0, 200);
    api.served.take().unwrap().await.unwrap();
}

#[tokio::test]
async fn requests_are_counted_by_operation_and_outcome() {
    let api = start().await;
    api.get("/v1/sessions").await;
    api.get("/v1/sessions?limit=0").await;
    api.get("/v1/nothing").await;
    let metrics = api.metrics();
    for (operation, outcome) in [
        ("sessions", "ok"),
        ("sessions", "limit_out_of_range"),
        ("unknown", "operation_unknown"),
    ] {
        let line = format!(
            "sluice_api_requests_total{{operation=\"{operation}\",outcome=\"{outcome}\"}} 1"
        );
        assert!(metrics.contains(&line), "{metrics}");
    }
    assert!(
        metrics.contains("sluice_api_requests_in_flight 0"),
        "{metrics}"
    );
    assert!(
        metrics.contains("sluice_api_request_duration_seconds_count{operation=\"sessions\"} 2")
    );
}

#[tokio::test]
async fn the_operators_key_is_good_for_drains_and_the_fleet_alone() {
    let api = start().await;
    let key = "the-operators-key-0123";
    api.api.set_operator_keys(Keys::new([key]).unwrap());
    let with = |method, path: &str| {
        let url = format!("{}{path}", api.url);
        answer(api.http.request(method, url).bearer_auth(key))
    };
    assert_eq!(with(Method::GET, "/v1/drain").await.0, 200);
    assert_eq!(with(Method::POST, "/v1/drain").await.0, 200);
    assert_eq!(with(Method::DELETE, "/v1/drain").await.0, 200);
    assert_eq!(with(Method::GET, "/v1/fleet").await.0, 200);
    assert_eq!(with(Method::GET, "/v1/rooms").await.0, 200);
    let sessions = with(Method::GET, "/v1/sessions").await;
    assert_refused(&sessions, 401, "api_key_invalid");
    // It needs no other key beside it, and is nobody else's when it is gone.
    api.api.set_keys(Keys::default());
    assert_eq!(with(Method::GET, "/v1/drain").await.0, 200);
    api.api.set_operator_keys(Keys::default());
    let drain = with(Method::GET, "/v1/drain").await;
    assert_refused(&drain, 403, "api_key_not_configured");
}

#[tokio::test]
async fn sockets_that_show_no_key_keep_nobody_out() {
    let api = start().await;
    let address = api.url.strip_prefix("http://").unwrap();
    let mut sockets = Vec::new();
    for _ in 0..1_100 {
        sockets.push(TcpStream::connect(address).await.unwrap());
    }
    assert_eq!(api.get("/v1/sessions").await.0, 200);
    // The oldest have made room.
    for socket in &mut sockets[..1_000] {
        assert_eq!(socket.read(&mut [0; 16]).await.unwrap_or(0), 0);
    }
    assert_eq!(api.get("/v1/sessions").await.0, 200);
}
