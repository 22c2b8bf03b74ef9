//! Whatever clients send, they get an answer, and nobody else notices.

use futures_util::SinkExt;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    metrics::{figure, refused},
    native::Native,
    socketio::SocketIo,
    support::{cluster, kept, until, with},
};

const OPERATIONS: [&str; 9] = [
    "join", "leave", "publish", "history", "presence", "refresh", "ping", "emit", "x",
];

const FIELDS: [&str; 9] = [
    "room",
    "user",
    "event",
    "data",
    "after",
    "limit",
    "token",
    "epoch",
    "attachments",
];

fn frames() -> impl Strategy<Value = String> {
    let op = prop::sample::select(OPERATIONS.as_slice());
    let value = prop_oneof![
        Just(json!(null)),
        any::<i64>().prop_map(|n| json!(n)),
        ".{0,40}".prop_map(|s| json!(s)),
        Just(json!({"a": [1, {}]})),
    ];
    let field = prop::sample::select(FIELDS.as_slice());
    let shaped = (op, prop::collection::vec((field, value), 0..5)).prop_map(|(op, fields)| {
        let mut frame = json!({"id": 1, "op": op});
        for (name, value) in fields {
            frame[name] = value;
        }
        frame.to_string()
    });
    prop_oneof![".{0,200}", shaped]
}

#[test]
fn no_frame_ends_the_connection_or_disturbs_another() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut witness, _) = Native::enter(&gateway, "witness").await;
        let (mut client, _) = Native::enter(&gateway, "ann").await;
        let mut runner = TestRunner::deterministic();
        for round in 0..500 {
            let frame = frames().new_tree(&mut runner).unwrap().current();
            client.send(frame).await;
            if round % 50 == 0 {
                client
                    .must(json!({"op": "join", "room": "still-here"}))
                    .await;
            }
        }
        client
            .must(json!({"op": "join", "room": "still-here"}))
            .await;
        witness.must(json!({"op": "join", "room": "kept-a"})).await;
        assert!(refused(&gateway, "bad_frame").await > 0);
        assert!(refused(&gateway, "bad_arguments").await > 0);
    });
}

#[test]
fn a_message_over_the_bound_is_answered_with_its_code_and_its_client_stays() {
    let limits = json!({"limits": {"payloadBytes": 4096, "messagesPerSecond": 20}});
    with(&[cluster(limits)], async |gateway| {
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        ann.must(json!({"op": "join", "room": "r"})).await;
        // What comes behind the data is not read, so the id goes first.
        let large = |id: u64, size: usize| {
            let data = "x".repeat(size);
            format!(r#"{{"id":{id},"op":"publish","room":"r","event":"m","data":"{data}"}}"#)
        };
        for (id, size) in [(1_001, 4_096), (1_002, 1_000_000)] {
            ann.send(large(id, size)).await;
            let answer = ann.frame().await.unwrap();
            assert_eq!(answer["id"], id);
            assert_eq!(answer["error"]["code"], "message_too_large");
        }
        ann.send("x".repeat(5_000)).await;
        let answer = ann.frame().await.unwrap();
        assert_eq!(answer["id"], Value::Null);
        assert_eq!(answer["error"]["code"], "message_too_large");
        ann.must(json!({"op": "publish", "room": "r", "event": "m", "data": 1}))
            .await;
        until(async || refused(&gateway, "message_too_large").await == 3).await;
        // To read them costs, so whoever goes on is cut off.
        for _ in 0..3 {
            ann.send(large(7, 16_000_000)).await;
        }
        assert_eq!(ann.closed().await, 4504);

        let mut stranger = Native::open(&gateway).await;
        stranger.send(large(1, 5_000)).await;
        assert_eq!(stranger.closed().await, 1009);
    });
}

#[test]
fn what_breaks_the_protocol_is_closed_with_its_code_and_counted() {
    with(&[cluster(json!({}))], async |gateway| {
        let (mut binary, _) = Native::enter(&gateway, "ann").await;
        binary
            .socket
            .send(Message::binary(vec![1, 2]))
            .await
            .unwrap();
        assert_eq!(binary.closed().await, 1003);
        let (mut large, _) = Native::enter(&gateway, "ann").await;
        large.send("x".repeat((16 << 20) + 1)).await;
        assert_eq!(large.closed().await, 1009);
        let mut socketio = SocketIo::enter(&gateway, "ann").await;
        socketio.send("4nonsense").await;
        assert_eq!(socketio.text().await, None);
        for code in ["unsupported_data", "message_too_large", "protocol_error"] {
            until(async || refused(&gateway, code).await == 1).await;
        }
        let url = format!("http://{}/socket.io/?EIO=9", gateway.embedded.clients());
        assert_eq!(reqwest::get(url).await.unwrap().status(), 400);
        assert_eq!(refused(&gateway, "bad_request").await, 1);
    });
}

#[test]
fn socketio_is_where_the_documents_say_and_moves_with_them() {
    let at = |path: &str| {
        let mut document = cluster(json!({}));
        document["spec"]["gateway"]["socketioPath"] = json!(path);
        document
    };
    with(&[at("/real/time")], async |gateway| {
        let status = async |path: &str| {
            let address = gateway.embedded.clients();
            let url = format!("http://{address}{path}?EIO=4&transport=polling");
            reqwest::get(url).await.unwrap().status().as_u16()
        };
        assert_eq!(status("/real/time/").await, 200);
        assert_eq!(status("/real/time").await, 200);
        assert_eq!(status("/socket.io/").await, 404);
        gateway.reload(&[at("/moved/")]);
        until(async || status("/moved/").await == 200).await;
        assert_eq!(status("/real/time/").await, 404);
    });
}

#[test]
fn a_connection_joins_as_many_rooms_as_it_may_and_no_more() {
    let mut few = cluster(json!({}));
    few["spec"]["limits"]["joinsPerConnection"] = json!(100);
    with(&[few], async |gateway| {
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        for room in 0..10_000 {
            let request = json!({"op": "join", "room": format!("r{room}")});
            ann.send(request.to_string()).await;
        }
        ann.must(json!({"op": "leave", "room": "r0"})).await;
        assert_eq!(refused(&gateway, "too_many_rooms").await, 9_900);
        assert_eq!(figure(&gateway, "sluice_room_memberships").await, 99);
        ann.leave().await;
        until(async || figure(&gateway, "sluice_room_memberships").await == 0).await;
    });
}

#[test]
fn whoever_goes_on_sending_too_fast_is_cut_off_even_with_nonsense() {
    let mut slow = cluster(json!({}));
    slow["spec"]["limits"]["messagesPerSecond"] = json!(10);
    // The client does not read, so the refusals must all fit, or it is cut off for that.
    slow["spec"]["limits"]["outboundBytes"] = json!(64 << 20);
    with(&[slow], async |gateway| {
        for frame in [r#"{"op":"leave","room":"r"}"#, "nonsense"] {
            let (mut ann, _) = Native::enter(&gateway, "ann").await;
            for _ in 0..20 {
                for _ in 0..1_000 {
                    let _ = ann.socket.feed(Message::text(frame)).await;
                }
                let _ = ann.socket.flush().await;
            }
            assert_eq!(ann.closed().await, 4504);
        }
        assert!(refused(&gateway, "rate_limited").await > 10_000);
    });
}

#[test]
fn whoever_never_connects_is_cut_off() {
    with(&[cluster(json!({}))], async |gateway| {
        let mut talks = Native::open(&gateway).await;
        for _ in 0..200 {
            talks.send("{}").await;
        }
        assert_eq!(talks.closed().await, 4504);
        let mut silent = Native::open(&gateway).await;
        assert_eq!(silent.closed().await, 4005);
        assert_eq!(refused(&gateway, "connect_timeout").await, 1);
    });
}
