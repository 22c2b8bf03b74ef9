//! Members of a room meet, whatever they speak.

use reqwest::Method;
use serde_json::json;

use crate::{
    metrics::figure,
    native::Native,
    socketio::SocketIo,
    support::{cluster, kept, room, until, with},
};

#[test]
fn members_meet_whatever_protocol_and_worker_they_are_on() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let mut clients = Vec::new();
        // So many that each worker has some of them.
        for _ in 0..8 {
            let (mut client, _) = Native::enter(&gateway, "ann").await;
            client.must(json!({"op": "join", "room": "kept-a"})).await;
            clients.push(client);
        }
        let mut bob = SocketIo::enter(&gateway, "bob").await;
        assert_eq!(bob.ask(json!(["join", "kept-a"])).await["ok"], true);
        bob.ask(json!(["publish", "kept-a", "m", 7])).await;
        for client in &mut clients {
            let push = client.push("m").await;
            assert_eq!(
                (&push["data"], &push["meta"]["from"]),
                (&json!(7), &json!("bob"))
            );
        }
        clients[0].publish("kept-a", 8).await;
        let own = bob.event("m").await;
        assert_eq!(own[1], 7);
        let event = bob.event("m").await;
        assert_eq!((&event[1], &event[2]["from"]), (&json!(8), &json!("ann")));
    });
}

#[test]
fn a_changed_room_puts_those_out_who_may_no_longer_be_there() {
    let open = room("vip", "vip", json!({"history": {"maxMessages": 10}}));
    let closed = room(
        "vip",
        "vip",
        json!({"access": {"join": "claims.sub == 'ann'"}}),
    );
    with(&[cluster(json!({})), open], async |gateway| {
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        let (mut bob, _) = Native::enter(&gateway, "bob").await;
        for client in [&mut ann, &mut bob] {
            client.must(json!({"op": "join", "room": "vip"})).await;
        }
        gateway.reload(&[cluster(json!({})), closed]);
        let revoked = bob.push("revoked").await;
        assert_eq!(revoked["data"]["room"], "vip");
        let again = bob.ask(json!({"op": "join", "room": "vip"})).await;
        assert_eq!(again["ok"], false);
        ann.publish("vip", 1).await;
        assert_eq!(ann.data(1).await, [1]);
        until(async || figure(&gateway, "sluice_room_memberships").await == 1).await;
    });
}

#[test]
fn a_user_who_is_taken_out_of_a_room_while_away_is_not_in_it_after_coming_back() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut ann, connected) = Native::enter(&gateway, "ann").await;
        ann.must(json!({"op": "join", "room": "kept-a"})).await;
        let mut others = Vec::new();
        for _ in 0..6 {
            let (mut other, _) = Native::enter(&gateway, "other").await;
            other.must(json!({"op": "join", "room": "kept-a"})).await;
            others.push(other);
        }
        drop(ann);
        until(async || figure(&gateway, "sluice_sessions_detached").await == 1).await;

        let path = "/v1/rooms/kept-a/users/ann";
        gateway.api(Method::DELETE, path, &json!({})).await;
        until(async || figure(&gateway, "sluice_room_memberships").await == 6).await;
        // Whoever had the place that it left is still there.
        others[0].publish("kept-a", 1).await;
        for other in &mut others {
            assert_eq!(other.data(1).await, [1]);
        }
        let more = json!({"pid": connected["pid"]});
        let (mut ann, again) = Native::enter_with(&gateway, "ann", more).await;
        assert_eq!(again["recovered"], true);
        let left = ann.ask(json!({"op": "leave", "room": "kept-a"})).await;
        assert_eq!(left["error"]["code"], "not_a_member");
    });
}

#[test]
fn members_and_messages_are_counted_by_the_room_document_that_is_for_them() {
    let lobby = room("lobby", "lobby-*", json!({}));
    with(&[cluster(json!({})), kept(), lobby], async |gateway| {
        let count = async |name: &str| {
            let rooms = gateway.api(Method::GET, "/v1/rooms", &json!(null)).await;
            let rooms = rooms["rooms"].as_array().unwrap().clone();
            let found = rooms.into_iter().find(|it| it["name"] == name).unwrap();
            (found["members"].as_u64(), found["published"].as_u64())
        };
        let mut clients = Vec::new();
        // So many that each worker has some of them.
        for n in 0..8 {
            let (mut client, _) = Native::enter(&gateway, "ann").await;
            client
                .must(json!({"op": "join", "room": format!("lobby-{}", n % 2)}))
                .await;
            client.must(json!({"op": "join", "room": "kept-a"})).await;
            clients.push(client);
        }
        clients[0].publish("lobby-1", 1).await;
        clients[1].publish("kept-a", 1).await;
        let again =
            json!({"op": "publish", "room": "kept-a", "event": "m", "data": 1, "messageId": "x"});
        clients[1].must(again.clone()).await;
        clients[1].must(again).await;
        assert_eq!(count("lobby").await, (Some(8), Some(1)));
        assert_eq!(count("kept").await, (Some(8), Some(2)));
        clients[3]
            .must(json!({"op": "leave", "room": "kept-a"}))
            .await;
        let body = json!({"event": "m", "data": 1});
        gateway
            .api(Method::POST, "/v1/rooms/kept-a/messages", &body)
            .await;
        assert_eq!(count("kept").await, (Some(7), Some(3)));
        // One that is changed has the same members.
        let changed = room("lobby", "lobby-*", json!({"limits": {"members": 99}}));
        gateway.reload(&[cluster(json!({})), kept(), changed]);
        until(async || count("lobby").await == (Some(8), Some(0))).await;
    });
}
