//! More than may wait for a client at once.

use serde_json::{Value, json};

use crate::{
    metrics::figure,
    native::Native,
    support::{Gateway, cluster, kept, until, with},
};

/// As much as a message of a test has.
const SIZE: usize = 30_000;

/// Publishes so many large messages, each of which begins with its number.
async fn publish(gateway: &Gateway, count: usize) {
    let (mut publisher, _) = Native::enter(gateway, "pub").await;
    for number in 0..count {
        let data = format!("{number}:{}", "x".repeat(SIZE));
        let publish = json!({"op": "publish", "room": "kept-a", "event": "m", "data": data});
        publisher.must(publish).await;
    }
}

fn number(data: &Value) -> usize {
    let (number, _) = data.as_str().unwrap().split_once(':').unwrap();
    number.parse().unwrap()
}

#[test]
fn a_session_that_missed_more_than_may_wait_gets_it_as_fast_as_its_client_reads() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut ann, connected) = Native::enter(&gateway, "ann").await;
        ann.must(json!({"op": "join", "room": "kept-a"})).await;
        drop(ann);
        until(async || figure(&gateway, "sluice_sessions_detached").await == 1).await;
        // Some 12 MB, of which a megabyte may wait.
        publish(&gateway, 400).await;
        let more = json!({"pid": connected["pid"]});
        let (mut ann, connected) = Native::enter_with(&gateway, "ann", more).await;
        assert_eq!(connected["recovered"], true);
        for expected in 0..400 {
            assert_eq!(number(&ann.push("m").await["data"]), expected);
        }
    });
}

#[test]
fn a_history_is_read_in_answers_of_a_bounded_size() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        publish(&gateway, 30).await;
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        let mut seen = Vec::new();
        let mut before = Value::Null;
        loop {
            let mut ask = json!({"op": "history", "room": "kept-a", "limit": 100});
            if before.is_u64() {
                ask["before"] = before;
            }
            let page = ann.must(ask).await;
            let messages = page["messages"].as_array().unwrap();
            assert!(page.to_string().len() < 300_000, "one answer");
            seen.extend(
                messages
                    .iter()
                    .rev()
                    .map(|message| number(&message["data"])),
            );
            before = messages[0]["meta"]["offset"].clone();
            if page["more"] != true {
                break;
            }
        }
        assert_eq!(seen, (0..30).rev().collect::<Vec<_>>());
    });
}

#[test]
fn calls_for_histories_at_once_are_answered_as_their_client_reads() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        publish(&gateway, 30).await;
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        // Together some 10 MB, of which a megabyte may wait.
        let ask = |id: u64| json!({"id": id, "op": "history", "room": "kept-a", "limit": 100});
        for id in 100..140_u64 {
            ann.send(ask(id).to_string()).await;
        }
        for id in 100..140_u64 {
            assert_eq!(ann.answer(id).await["ok"], true);
        }
    });
}
