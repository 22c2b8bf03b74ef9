//! A server dies, pauses, or comes late.

use sluice_nats::link::{NO_HEADERS, Refused};
use sluice_test_nats::{Server, Settings, free_port, until};

use super::support::{Client, Event, options, pair, plain};

#[tokio::test]
async fn after_a_kill_and_a_restart_all_subscriptions_are_there_again() {
    let (mut server, a, b) = pair().await;
    b.link.subscribe("kept");
    b.link.subscribe("given.up");
    server.kill().await;
    until("the loss is seen", async || {
        !b.link.is_connected() && !a.link.is_connected()
    })
    .await;
    b.link.unsubscribe("given.up");
    b.link.subscribe("new");
    let lost = a.link.publish("kept", None, NO_HEADERS, b"lost");
    assert_eq!(lost, Err(Refused::NotConnected));
    assert_eq!(a.link.stats().dropped, 1);
    server.restart().await;
    a.connections(2).await;
    b.connections(2).await;
    b.flush().await;
    for subject in ["given.up", "kept", "new"] {
        a.send(subject, subject);
    }
    b.received(3).await;
    assert_eq!(b.payloads(), ["", "kept", "new"]);
    assert_eq!((b.losses().len(), b.link.stats().connects), (1, 2));
}

#[tokio::test]
async fn a_link_that_begins_before_its_server_finds_it() {
    let mut server = Server::start(Settings::default()).await;
    server.kill().await;
    let client = Client::start(options(&[&server.url()]));
    client.link.subscribe("early");
    assert!(!client.link.is_connected());
    server.restart().await;
    client.connections(1).await;
    let other = Client::connected(options(&[&server.url()])).await;
    client.flush().await;
    other.send("early", "now");
    client.received(2).await;
    assert_eq!(client.payloads(), ["", "now"]);
}

#[tokio::test]
async fn a_server_that_falls_silent_is_noticed_and_one_that_lives_is_kept() {
    let (server, options) = plain().await;
    let client = Client::connected(options).await;
    // Several questions and answers: the link is not lost while the server lives.
    until("the server was asked", async || {
        client.link.stats().bytes_in >= 10 * "PONG\r\n".len() as u64
    })
    .await;
    assert!(client.losses().is_empty());
    server.pause().await;
    until("the silence is noticed", async || {
        !client.losses().is_empty()
    })
    .await;
    assert_eq!(client.losses(), ["the server is silent"]);
    server.resume().await;
    client.connections(2).await;
}

#[tokio::test]
async fn of_several_urls_one_that_works_is_found() {
    let server = Server::start(Settings::default()).await;
    let nowhere = format!("nats://127.0.0.1:{}", free_port());
    let client = Client::connected(options(&[&nowhere, &server.url(), &nowhere])).await;
    client.flush().await;
}

#[tokio::test]
async fn every_loss_is_told_once_between_two_connections() {
    let (mut server, options) = plain().await;
    let client = Client::connected(options).await;
    for round in 2..=4 {
        server.kill().await;
        server.restart().await;
        client.connections(round).await;
    }
    let expected = [true, false, true, false, true, false, true];
    let events = client.events();
    let connected = events
        .iter()
        .map(|event| matches!(event, Event::Connected(_)));
    assert!(connected.eq(expected));
}
