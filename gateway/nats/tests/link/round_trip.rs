//! Messages from one link to another.

use sluice_nats::link::NO_HEADERS;
use sluice_test_nats::until;

use super::support::{Client, pair, plain};

#[tokio::test]
async fn a_message_arrives_with_its_headers_and_its_subject_for_answers() {
    let (_server, a, b) = pair().await;
    b.link.subscribe("room.*");
    b.flush().await;
    let headers = [("Nats-Msg-Id", "17"), ("X", "é: ü")];
    let sent = a
        .link
        .publish("room.a", Some("answers"), &headers, b"\x00\r\nhi");
    sent.unwrap();
    a.link.publish("room.b", None, NO_HEADERS, b"").unwrap();
    until("both messages come", async || {
        b.link.stats().messages_in >= 3
    })
    .await;
    let [_, first, second] = &b.messages()[..] else {
        panic!("{:?}", b.messages())
    };
    assert_eq!(
        (first.subject(), first.reply()),
        ("room.a", Some("answers"))
    );
    assert_eq!(first.headers.get("Nats-Msg-Id"), Some("17"));
    assert_eq!(first.headers.get("X"), Some("é: ü"));
    assert_eq!(&first.payload[..], b"\x00\r\nhi");
    assert_eq!((second.subject(), second.reply()), ("room.b", None));
    assert!(second.payload.is_empty());
}

#[tokio::test]
async fn a_link_does_not_hear_itself() {
    let (_server, a, b) = pair().await;
    a.link.subscribe("x");
    b.link.subscribe("x");
    b.flush().await;
    a.send("x", "mine");
    b.received(2).await;
    a.flush().await;
    assert_eq!(a.payloads(), [""]);
}

#[tokio::test]
async fn a_request_that_nobody_listens_to_is_answered_with_status_503() {
    let (_server, options) = plain().await;
    let client = Client::connected(options).await;
    client.link.subscribe("_INBOX.1");
    let asked = client
        .link
        .publish("nobody", Some("_INBOX.1"), NO_HEADERS, b"?");
    asked.unwrap();
    let answer = client.received(1).await.remove(0);
    assert_eq!(
        (answer.subject(), answer.headers.status()),
        ("_INBOX.1", Some(503))
    );
}

#[tokio::test]
async fn subscribing_twice_is_one_subscription_and_unsubscribing_ends_it() {
    let (_server, a, b) = pair().await;
    b.link.subscribe("x");
    b.link.subscribe("x");
    b.flush().await;
    a.send("x", "1");
    b.received(2).await;
    assert_eq!(b.link.stats().subscriptions, 1);
    b.link.unsubscribe("x");
    b.flush().await;
    a.send("x", "2");
    a.flush().await;
    b.flush().await;
    assert_eq!(b.payloads(), ["", "1", "", ""]);
}

#[tokio::test]
async fn a_message_of_the_largest_size_arrives_whole() {
    let (_server, a, b) = pair().await;
    b.link.subscribe("big");
    b.flush().await;
    let payload: Vec<_> = (0..1_048_576_u32).map(|n| n.to_le_bytes()[1]).collect();
    a.link.publish("big", None, NO_HEADERS, &payload).unwrap();
    let packet = b.received(2).await.remove(1);
    assert_eq!(packet.payload, payload);
}
