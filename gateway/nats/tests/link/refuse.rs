//! What a link does not send.

use std::time::Duration;

use sluice_nats::link::{MAX_WAITING, NO_HEADERS, Options, Refused};

use super::support::{Client, plain, two};

#[tokio::test]
async fn what_a_server_would_not_take_is_refused_and_counted() {
    let (_server, options) = plain().await;
    let client = Client::connected(options).await;
    let link = &client.link;
    let large = vec![0; 1_048_577];
    let refused = [
        link.publish("a", None, NO_HEADERS, &large),
        link.publish("a", None, &[("A", "1")], &large[..1_048_570]),
        link.publish("a b", None, NO_HEADERS, b""),
        link.publish("a", Some(""), NO_HEADERS, b""),
        link.publish("a", None, &[("A", "1\r\nB: 2")], b""),
    ];
    let codes = refused.map(|result| result.unwrap_err().code());
    assert_eq!(codes[..2], ["nats_message_too_large"; 2]);
    assert_eq!(codes[2..4], ["nats_invalid_subject"; 2]);
    assert_eq!(codes[4], "nats_invalid_header");
    link.subscribe("a b\r\nPUB x 0\r\n");
    client.flush().await;
    let stats = link.stats();
    assert_eq!((stats.refused, stats.dropped, stats.errors), (5, 0, 0));
    assert!(client.losses().is_empty());
}

#[tokio::test]
async fn while_a_server_reads_nothing_a_bounded_amount_waits_and_then_arrives() {
    let (server, options) = plain().await;
    let options = Options {
        ping_interval: Duration::from_mins(1),
        ..options
    };
    let (a, b) = two(options).await;
    b.link.subscribe("x");
    b.flush().await;
    server.pause().await;
    let payload = vec![0; 1_000_000];
    let mut accepted = 0;
    let refused = loop {
        match a.link.publish("x", None, NO_HEADERS, &payload) {
            Ok(()) => accepted += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, Refused::Full);
    assert!(accepted >= 60 && a.link.stats().waiting_bytes <= MAX_WAITING);
    server.resume().await;
    b.received(accepted + 1).await;
    assert_eq!(a.link.stats().waiting_bytes, 0);
}
