//! What one connection and one address may cost.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
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
        // So many a second are checked; a slow machine takes more of them to send the rest.
        assert!((1..=3_000).contains(&checked), "{checked}");
    });
}

#[test]
fn an_address_that_shows_too_many_bad_tokens_has_to_wait_and_those_inside_go_on() {
    let limits = json!({"limits": {"connectionsPerIP": 8}});
    with(&[cluster(limits)], async |gateway| {
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        while refused(&gateway, "ip_bad_tokens_exceeded").await == 0 {
            let mut eve = SocketIo::open(&gateway).await;
            for _ in 0..10 {
                eve.send(&format!("40{}", json!({"token": forged()}))).await;
                assert!(eve.text().await.unwrap().starts_with("44"));
            }
            handshake(&gateway).await;
        }
        ann.must(json!({"op": "join", "room": "r"})).await;
        while handshake(&gateway).await != StatusCode::SWITCHING_PROTOCOLS {}
    });
}

/// The first line of what is answered to these bytes.
async fn answered(gateway: &Gateway, bytes: &str) -> String {
    let mut socket = TcpStream::connect(gateway.embedded.clients())
        .await
        .unwrap();
    let _ = socket.write_all(bytes.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_trusted_proxy_says_by_the_proxy_protocol_who_connects() {
    let limits = json!({"connectionsPerIP": 1, "trustedProxies": ["127.0.0.1/32"]});
    let gateway = json!({"proxyProtocol": true});
    let cluster = cluster(json!({"limits": limits, "gateway": gateway}));
    with(&[cluster], async |gateway| {
        let poll = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let from = |last: u8| format!("PROXY TCP4 192.0.2.{last} 192.0.2.9 1 2\r\n{poll}");
        assert_eq!(answered(&gateway, &from(1)).await, "HTTP/1.1 200 OK");
        assert_eq!(answered(&gateway, &from(2)).await, "HTTP/1.1 200 OK");
        let again = answered(&gateway, &from(1)).await;
        assert_eq!(again, "HTTP/1.1 429 Too Many Requests");
        assert_eq!(answered(&gateway, poll).await, "", "no header");
    });
}
