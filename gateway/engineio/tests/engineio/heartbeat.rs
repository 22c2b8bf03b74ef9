//! Who answers lives.

use std::time::Duration;

use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{ENOUGH_PINGS, Server, brisk, eventually};

#[tokio::test]
async fn a_websocket_that_does_not_answer_is_closed() {
    let server = Server::start(&brisk());
    let mut websocket = server.client().websocket(None).await;
    assert_eq!(websocket.take(3).await[1..], ["4welcome", "2"]);
    websocket.breaks().await;
    server.seen.wait_for("closed heartbeat").await;
}

#[tokio::test]
async fn a_websocket_that_answers_lives() {
    let server = Server::start(&brisk());
    let mut websocket = server.client().websocket(None).await;
    websocket.take(2).await;
    for _ in 0..ENOUGH_PINGS {
        assert_eq!(websocket.next().await, "2");
        websocket.send("3").await;
    }
    websocket.send("4hello").await;
    assert_eq!(websocket.next().await, "4hello");
}

#[tokio::test]
async fn a_client_that_polls_and_does_not_answer_is_gone() {
    let server = Server::start(&brisk());
    let client = server.client();
    let sid = client.open().await;
    assert_eq!(client.poll(&sid).await.packets(), ["2"]);
    assert_eq!(client.poll(&sid).await.status, 400);
    server.seen.wait_for("closed heartbeat").await;
    assert_eq!(client.poll(&sid).await.status, 400);
}

#[tokio::test]
async fn a_client_that_does_not_even_poll_is_gone() {
    let server = Server::start(&brisk());
    server.client().open().await;
    server.seen.wait_for("closed heartbeat").await;
    assert_eq!(server.counters[0].queued_bytes.get(), 0);
}

#[tokio::test]
async fn a_client_that_polls_and_answers_lives() {
    let server = Server::start(&brisk());
    let client = server.client();
    let sid = client.open().await;
    for _ in 0..ENOUGH_PINGS {
        assert_eq!(client.poll(&sid).await.packets(), ["2"]);
        client.say(&sid, "3").await;
    }
    assert!(server.seen.all().is_empty());
}

#[tokio::test]
async fn a_pause_of_the_process_is_not_held_against_clients() {
    let server = Server::start(&brisk());
    let mut websocket = server.client().websocket(None).await;
    websocket.take(2).await;
    websocket.send("4busy 3000").await;
    for _ in 0..3 {
        assert_eq!(websocket.next().await, "2");
        websocket.send("3").await;
    }
    assert_eq!(server.seen.all(), ["text busy 3000"]);
}

#[tokio::test]
async fn a_websocket_that_answers_and_takes_nothing_is_closed_as_slow() {
    let server = Server::start(&brisk());
    let mut websocket = server.client().websocket(None).await;
    // More than the kernel holds for it.
    websocket.send("4big 30000000").await;
    while !server.seen.has("closed slow_consumer") {
        // It fails once the connection is closed.
        let _ = websocket.0.send(Message::text("3")).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The frame that is half written goes with the connection.
    let queued = &server.counters[0].queued_bytes;
    eventually("an empty queue", || queued.get() == 0).await;
}

#[tokio::test]
async fn a_polling_client_that_answers_and_does_not_poll_is_closed_as_slow() {
    let server = Server::start(&brisk());
    let client = server.client();
    let sid = client.open().await;
    client.say(&sid, "4hello").await;
    while !server.seen.has("closed slow_consumer") {
        client.post(&sid, "3").await;
    }
    assert_eq!(server.counters[0].queued_bytes.get(), 0);
}
