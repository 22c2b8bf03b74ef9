//! What one connection and one address may cost.

use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, connect, http::StatusCode};

use crate::{
    metrics::{figure, refused},
    native::Native,
    socketio::SocketIo,
    support::{Gateway, cluster, token, with},
};

const CHECKED: &str = "sluice_auth_total{outcome=\"token_signature\"}";

/// A token that somebody else has signed.
fn forged() -> String {
    let token = token("eve", 600);
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.{}", "A".repeat(43))
}

/// What the handshake of one more connection is answered with.
async fn handshake(gateway: &Gateway) -> StatusCode {
    let url = format!("ws://{}/ws", gateway.embedded.clients());
    let answer = tokio::task::spawn_blocking(|| connect(url)).await.unwrap();
    match answer {
        Ok((_, response)) => response.status(),
        Err(Error::Http(response)) => response.status(),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_connection_that_keeps_asking_with_forged_tokens_is_closed() {
    with(&[cluster(json!({}))], async |gateway| {
        let mut eve = SocketIo::open(&gateway).await;
        let connect = format!("40{}", json!({"token": forged()}));
        for _ in 0..2_000 {
            eve.send(&connect).await;
            eve.send("41").await;
        }
        while eve.text().await.is_some() {}
        let checked = figure(&gateway, CHECKED).await;
        assert!((1..=500).contains(&checked), "{checked}");
        assert!(refused(&gateway, "too_many_connects").await > 0);
    });
}

#[test]
fn a_client_may_ask_for_all_its_namespaces_at_once_and_again() {
    let names: Vec<_> = (0..50).map(|n| format!("/n{n}")).collect();
    with(&[cluster(json!({"namespaces": names}))], async |gateway| {
        let mut client = SocketIo::open(&gateway).await;
        for _ in 0..2 {
            for name in &names {
                let auth = json!({"token": token("ann", 600)});
                client.send(&format!("40{name},{auth}")).await;
                let answer = client.text().await.expect("no close");
                assert!(answer.starts_with(&format!("40{name},")), "{answer}");
            }
            for name in &names {
                client.send(&format!("41{name},")).await;
            }
        }
    });
}

#[test]
fn a_session_that_goes_on_showing_forged_tokens_is_closed() {
    with(&[cluster(json!({}))], async |gateway| {
        let (mut eve, _) = Native::enter(&gateway, "eve").await;
        let refresh = json!({"op": "refresh", "id": 1, "token": forged()}).to_string();
        for _ in 0..30_000 {
            eve.send(&*refresh).await;
        }
        assert_eq!(eve.closed().await, 4504);
        let checked = figure(&gateway, CHECKED).await;
        assert!((1..=200).contains(&checked), "{checked}");
    });
}

#[test]
fn an_address_that_shows_too_many_bad_tokens_has_to_wait_and_those_inside_go_on() {
    let limits = json!({"limits": {"connectionsPerIP": 20}});
    with(&[cluster(limits)], async |gateway| {
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        let mut seen = StatusCode::SWITCHING_PROTOCOLS;
        while seen == StatusCode::SWITCHING_PROTOCOLS {
            for _ in 0..20 {
                let mut eve = Native::open(&gateway).await;
                eve.ask(json!({"op": "connect", "token": forged()})).await;
                assert_eq!(eve.closed().await, 4503);
            }
            seen = handshake(&gateway).await;
        }
        assert_eq!(seen, StatusCode::TOO_MANY_REQUESTS);
        assert!(refused(&gateway, "ip_bad_tokens_exceeded").await > 0);
        ann.must(json!({"op": "join", "room": "r"})).await;
        while handshake(&gateway).await != StatusCode::SWITCHING_PROTOCOLS {}
    });
}
