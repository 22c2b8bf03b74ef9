//! What is asked of a link reaches the server in that order.

use std::sync::Arc;

use sluice_nats::link::NO_HEADERS;
use sluice_test_nats::until;

use super::support::pair;

const ROUNDS: usize = 200;

#[tokio::test]
async fn when_an_answer_comes_the_subscription_before_the_request_is_in_force() {
    let (_server, a, b) = pair().await;
    a.link.subscribe("_INBOX.>");
    for round in 0..ROUNDS {
        let (room, inbox) = (format!("room.{round}"), format!("_INBOX.{round}"));
        a.link.subscribe(&room);
        let asked = a.link.publish("nobody", Some(&inbox), NO_HEADERS, b"");
        asked.unwrap();
        a.received(2 * round + 1).await;
        b.send(&room, &room);
        let got = a.received(2 * round + 2).await;
        assert_eq!(got[2 * round + 1].subject(), room);
    }
}

#[tokio::test]
async fn messages_of_one_thread_arrive_in_order_whatever_others_send() {
    let (_server, a, b) = pair().await;
    b.link.subscribe("t.*");
    b.flush().await;
    let link = Arc::new(a.link.clone());
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let link = Arc::clone(&link);
            std::thread::spawn(move || {
                for n in 0..5000 {
                    let (subject, payload) = (format!("t.{thread}"), n.to_string());
                    let sent = link.publish(&subject, None, NO_HEADERS, payload.as_bytes());
                    sent.unwrap();
                }
            })
        })
        .collect();
    until("all messages come", async || {
        b.link.stats().messages_in > 20_000
    })
    .await;
    for thread in threads {
        thread.join().unwrap();
    }
    for thread in 0..4 {
        let subject = format!("t.{thread}");
        let all = b.messages().into_iter();
        let numbers = all.filter(|packet| packet.subject() == subject);
        let numbers = numbers.map(|packet| packet.payload);
        assert!(numbers.eq((0..5000).map(|n| n.to_string())));
    }
}

#[tokio::test]
async fn while_the_handler_is_full_nothing_is_read_and_then_nothing_is_missing() {
    let (_server, a, b) = pair().await;
    b.link.subscribe("x");
    b.flush().await;
    b.set_full(true);
    let payload = "x".repeat(1000);
    (0..4000).for_each(|_| a.send("x", &payload));
    a.flush().await;
    assert!(b.messages().len() < 4000);
    b.set_full(false);
    b.received(4001).await;
    assert!(b.losses().is_empty());
}
