//! Sessions that begin on a WebSocket.

use sluice_engineio::Config;

use crate::support::{Server, calm, eventually};

#[tokio::test]
async fn a_session_opens_with_its_handshake_and_echoes() {
    let server = Server::start(&calm());
    let mut websocket = server.client().websocket(None).await;
    let handshake = websocket.next().await;
    let handshake: serde_json::Value = serde_json::from_str(&handshake[1..]).unwrap();
    assert_eq!(handshake["upgrades"], serde_json::json!([]));
    assert_eq!(websocket.next().await, "4welcome");
    websocket.send("4žluť").await;
    websocket.send_binary(&[1, 2]).await;
    assert_eq!(websocket.take(2).await, ["4žluť", "binary b\"\\x01\\x02\""]);
}

#[tokio::test]
async fn what_is_no_packet_closes_the_websocket() {
    for wrong in ["", "abc", "0", "2", "5"] {
        let server = Server::start(&calm());
        let mut websocket = server.client().websocket(None).await;
        websocket.take(2).await;
        websocket.send(wrong).await;
        assert_eq!(websocket.next().await, "close 1002", "{wrong}");
        server.seen.wait_for("closed protocol").await;
    }
}

#[tokio::test]
async fn a_message_beyond_the_bound_closes_the_websocket() {
    let server = Server::start(&Config {
        max_payload: 100,
        ..calm()
    });
    let mut websocket = server.client().websocket(None).await;
    websocket.take(2).await;
    websocket.send(&"4".repeat(101)).await;
    assert_eq!(websocket.next().await, "close 1009");
    server.seen.wait_for("closed protocol").await;
}

#[tokio::test]
async fn a_client_that_says_goodbye_is_closed() {
    let server = Server::start(&calm());
    let mut websocket = server.client().websocket(None).await;
    websocket.take(2).await;
    websocket.send("1").await;
    assert_eq!(websocket.next().await, "close 1000");
    server.seen.wait_for("closed client").await;
}

#[tokio::test]
async fn nothing_is_left_of_sessions_that_are_gone() {
    let server = Server::start(&calm());
    for _ in 0..20 {
        let mut websocket = server.client().websocket(None).await;
        websocket.take(2).await;
    }
    let counters = &server.counters[0];
    eventually("no socket", || counters.sockets.get() == 0).await;
    assert_eq!(counters.connections.get(), 0);
    assert_eq!(counters.queued_bytes.get(), 0);
    eventually("all ends", || server.seen.all().len() == 20).await;
}
