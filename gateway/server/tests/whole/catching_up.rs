//! Clients that have much to catch up with.

use std::time::Instant;

use futures_util::SinkExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    metrics::figure,
    native::Native,
    socketio::SocketIo,
    support::{Gateway, cluster, kept, room, until, with},
};

/// Publishes so many messages of so many bytes, and waits until they are kept.
async fn fill(gateway: &Gateway, publisher: &mut Native, count: usize, bytes: usize) {
    let before = figure(gateway, "sluice_history_messages").await;
    let text = "x".repeat(bytes);
    for number in 0..count {
        let data = json!({"n": number, "text": text});
        let request = json!({"op": "publish", "room": "kept-a", "event": "m", "data": data});
        publisher.send(request.to_string()).await;
    }
    let kept = before + count as u64;
    until(async || figure(gateway, "sluice_history_messages").await == kept).await;
}

async fn detached(gateway: &Gateway) {
    until(async || figure(gateway, "sluice_sessions_detached").await == 1).await;
}

#[test]
fn a_client_catches_up_with_far_more_than_may_wait_for_it_as_fast_as_it_reads() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut publisher, _) = Native::enter(&gateway, "pub").await;
        let (mut ann, connected) = Native::enter(&gateway, "ann").await;
        ann.must(json!({"op": "join", "room": "kept-a"})).await;
        drop(ann);
        detached(&gateway).await;
        fill(&gateway, &mut publisher, 9_000, 2_048).await;
        let more = json!({"pid": connected["pid"]});
        let began = Instant::now();
        let (mut ann, again) = Native::enter_with(&gateway, "ann", more).await;
        assert_eq!(again["recovered"], true);
        // Two messages of other kinds come before the rest of what was missed.
        let presence = json!({"op": "presence", "room": "kept-a"});
        ann.send(json!({"op": "direct", "user": "ann", "event": "d"}).to_string())
            .await;
        assert_eq!(ann.ask(presence).await["count"], 1);
        assert!(figure(&gateway, "sluice_replay_bytes").await > 0);
        assert!(figure(&gateway, "sluice_queue_bytes").await < 1 << 20);
        ann.push("d").await;
        publisher.publish("kept-a", 9_000).await;
        for number in 0..9_000 {
            assert_eq!(ann.push("m").await["data"]["n"], number);
        }
        assert_eq!(ann.push("m").await["data"], 9_000);
        println!("9,000 messages of 2 KiB in {:?}", began.elapsed());
        until(async || figure(&gateway, "sluice_replay_bytes").await == 0).await;
        assert_eq!(figure(&gateway, "sluice_slow_consumers_total").await, 0);
    });
}

#[test]
fn what_waits_for_a_client_that_goes_while_it_catches_up_is_let_go() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut publisher, _) = Native::enter(&gateway, "pub").await;
        let (mut ann, connected) = Native::enter(&gateway, "ann").await;
        ann.must(json!({"op": "join", "room": "kept-a"})).await;
        drop(ann);
        detached(&gateway).await;
        fill(&gateway, &mut publisher, 4_000, 4_096).await;
        for _ in 0..3 {
            let more = json!({"pid": connected["pid"]});
            let (ann, _) = Native::enter_with(&gateway, "ann", more).await;
            assert!(figure(&gateway, "sluice_replay_bytes").await > 0);
            drop(ann);
            detached(&gateway).await;
            assert_eq!(figure(&gateway, "sluice_replay_bytes").await, 0);
        }
    });
}

/// Publishes a message with one attachment of so many bytes.
async fn publish_attachment(client: &mut SocketIo, bytes: usize) {
    let packet = r#"451-["publish","kept-a","big",{"_placeholder":true,"num":0}]"#;
    client.send(packet).await;
    let attachment = Message::binary(vec![7; bytes]);
    client.socket.send(attachment).await.unwrap();
}

#[test]
fn a_message_that_is_larger_than_may_wait_for_a_client_comes_alone() {
    let limits = json!({"payloadBytes": 2 << 20, "outboundBytes": 1 << 20,
        "messagesPerSecond": 10_000});
    // Without presence: nothing else is to be sent while the message is on its way.
    let quiet = room("quiet", "kept-*", json!({"history": {"maxMessages": 100}}));
    with(
        &[cluster(json!({"limits": limits})), quiet],
        async |gateway| {
            let mut publisher = SocketIo::enter(&gateway, "pub").await;
            let mut ann = SocketIo::enter(&gateway, "ann").await;
            ann.ask(json!(["join", "kept-a"])).await;
            publisher.ask(json!(["publish", "kept-a", "m", 1])).await;
            let args = ann.event("m").await;
            publish_attachment(&mut publisher, 1_500_000).await;
            assert_eq!(ann.attachment().await.len(), 1_500_000);
            let more = json!({"pid": ann.connected["pid"], "offset": args[3]});
            drop(ann);
            detached(&gateway).await;
            publisher.ask(json!(["publish", "kept-a", "m", 2])).await;
            publish_attachment(&mut publisher, 1_500_000).await;
            publish_attachment(&mut publisher, 1_500_000).await;
            publisher.ask(json!(["publish", "kept-a", "m", 3])).await;
            let mut ann = SocketIo::enter_with(&gateway, "ann", more).await;
            for _ in 0..3 {
                assert_eq!(ann.attachment().await.len(), 1_500_000);
            }
            publisher.ask(json!(["publish", "kept-a", "m", 4])).await;
            for number in [2, 3, 4] {
                assert_eq!(ann.event("m").await[1], Value::from(number));
            }
            assert_eq!(figure(&gateway, "sluice_slow_consumers_total").await, 0);
        },
    );
}
