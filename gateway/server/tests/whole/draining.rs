//! Moving everyone off.

use reqwest::Method;
use serde_json::json;

use crate::{
    metrics::refused,
    native::Native,
    socketio::SocketIo,
    support::{API_KEY, cluster, until, with},
};

#[test]
fn a_drain_tells_everyone_closes_all_and_releases() {
    with(&[cluster(json!({}))], async |gateway| {
        let mut natives = Vec::new();
        for user in 0..20 {
            natives.push(Native::enter(&gateway, &user.to_string()).await.0);
        }
        let mut socketio = SocketIo::enter(&gateway, "socketio").await;
        let mut silent = Native::open(&gateway).await;
        gateway.embedded.terminate();
        for native in &mut natives {
            assert_eq!(native.push("drain").await["data"]["reason"], "shutdown");
            assert_eq!(native.closed().await, 4000);
        }
        assert_eq!(socketio.event("drain").await[1]["reason"], "shutdown");
        while let Some(text) = socketio.text().await {
            // The stock client does not come back after this one.
            assert_ne!(text, "41");
        }
        assert_eq!(silent.closed().await, 4000);
        gateway.embedded.released().await;
    });
}

#[test]
fn whoever_comes_during_a_drain_is_refused_and_welcome_after_it_was_stopped() {
    let slow = json!({"settle": "1ms", "window": "60s", "deadline": "61s"});
    with(&[cluster(json!({"drain": slow}))], async |gateway| {
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        let mut early = Native::open(&gateway).await;
        let begin = json!({"reason": "rollout", "connectionsPerSecond": 0.01});
        gateway.api(Method::POST, "/v1/drain", &begin).await;
        assert_eq!(ann.push("drain").await["data"]["reason"], "rollout");

        let answer = early.ask(json!({"op": "connect"})).await;
        assert_eq!(answer["ok"], false);
        let url = format!(
            "http://{}/socket.io/?EIO=4&transport=polling",
            gateway.embedded.clients()
        );
        let late = reqwest::get(&url).await.unwrap();
        assert_eq!(late.status(), 503);
        assert!(late.headers().contains_key("retry-after"));
        assert!(refused(&gateway, "draining").await > 0);

        gateway.api(Method::DELETE, "/v1/drain", &json!({})).await;
        assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
        let again = json!({"connectionsPerSecond": 1000});
        gateway.api(Method::POST, "/v1/drain", &again).await;
        assert_eq!(ann.closed().await, 4000);
        gateway.embedded.released().await;
    });
}

#[test]
fn some_connections_are_moved_and_the_gateway_serves_all_the_while() {
    with(&[cluster(json!({}))], async |gateway| {
        let mut natives = Vec::new();
        for user in 0..20 {
            natives.push(Native::enter(&gateway, &user.to_string()).await.0);
        }
        let some = json!({"reason": "rebalance", "connections": 6, "connectionsPerSecond": 100});
        let begun = gateway.api(Method::POST, "/v1/drain", &some).await;
        assert_eq!(
            (&begun["phase"], &begun["remaining"]),
            (&json!("rebalance"), &json!(6))
        );
        assert_eq!(begun["connections"], 20);
        let url = format!("http://{}/readyz", gateway.embedded.ops());
        assert_eq!(reqwest::get(&url).await.unwrap().status(), 200);
        let _late = Native::enter(&gateway, "late").await;
        let progress = async || gateway.api(Method::GET, "/v1/drain", &json!({})).await;
        until(async || progress().await["phase"] == "serving").await;
        assert_eq!(progress().await["moved"], 6);
        until(async || progress().await["connections"] == 15).await;
    });
}

#[test]
fn a_drain_that_a_signal_began_is_not_taken_back() {
    with(&[cluster(json!({}))], async |gateway| {
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        gateway.embedded.terminate();
        let url = format!("http://{}/v1/drain", gateway.embedded.api());
        let request = reqwest::Client::new().delete(url).bearer_auth(API_KEY);
        assert_eq!(request.send().await.unwrap().status(), 409);
        assert_eq!(ann.closed().await, 4000);
        gateway.embedded.released().await;
    });
}
