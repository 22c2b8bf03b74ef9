//! The end of a link.

use sluice_nats::link::{NO_HEADERS, Refused};
use sluice_test_nats::free_port;

use super::support::{Client, options, pair};

#[tokio::test]
async fn all_that_was_accepted_has_arrived_when_a_link_is_closed() {
    let (_server, a, b) = pair().await;
    a.link.subscribe("back");
    b.link.subscribe("x");
    a.flush().await;
    b.flush().await;
    // What comes back meanwhile stays unread, which must not cost what was sent.
    let back = "x".repeat(1000);
    (0..5000).for_each(|_| b.send("back", &back));
    (0..20_000).for_each(|n| a.send("x", &n.to_string()));
    a.link.close().await;
    assert_eq!(a.losses(), ["the link is closed"]);
    let after = a.link.publish("x", None, NO_HEADERS, b"late");
    assert_eq!(after, Err(Refused::NotConnected));
    // The server has all of it: what another one asks now is answered behind it.
    b.flush().await;
    let got = b.messages();
    let numbers = got[1..got.len() - 1]
        .iter()
        .map(|packet| packet.payload.clone());
    assert!(numbers.eq((0..20_000).map(|n| n.to_string())));
}

#[tokio::test]
async fn a_link_that_never_connected_ends_at_once() {
    let nowhere = format!("nats://127.0.0.1:{}", free_port());
    let client = Client::start(options(&[&nowhere]));
    client.link.close().await;
    assert!(client.events().is_empty());
}
