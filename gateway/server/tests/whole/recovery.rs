//! Sessions that come back.

use serde_json::{Value, json};

use crate::{
    metrics::figure,
    native::Native,
    socketio::SocketIo,
    support::{Gateway, cluster, kept, until, with},
};

async fn detached(gateway: &Gateway, count: u64) {
    until(async || figure(gateway, "sluice_sessions_detached").await == count).await;
}

async fn join(client: &mut Native, room: &str) -> Value {
    client.must(json!({"op": "join", "room": room})).await
}

#[test]
fn a_session_comes_back_on_whatever_worker_with_all_that_it_missed() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut publisher, _) = Native::enter(&gateway, "pub").await;
        let (mut ann, mut connected) = Native::enter(&gateway, "ann").await;
        join(&mut ann, "kept-a").await;
        let mut next = 0;
        // So often that it has been on both workers.
        for _ in 0..12 {
            publisher.publish("kept-a", next).await;
            let push = ann.push("m").await;
            assert_eq!(push["data"], next);
            let offset = push["offset"].clone();
            drop(ann);
            detached(&gateway, 1).await;
            publisher.publish("kept-a", next + 1).await;
            let more = json!({"pid": connected["pid"], "offset": offset});
            (ann, connected) = Native::enter_with(&gateway, "ann", more).await;
            assert_eq!(connected["recovered"], true);
            assert_eq!(ann.data(1).await, [next + 1]);
            next += 2;
        }
    });
}

#[test]
fn what_is_lost_on_the_way_while_recovering_is_had_by_recovering_again() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut publisher, _) = Native::enter(&gateway, "pub").await;
        let (mut ann, connected) = Native::enter(&gateway, "ann").await;
        join(&mut ann, "kept-a").await;
        publisher.publish("kept-a", 1).await;
        let offset = ann.push("m").await["offset"].clone();
        drop(ann);
        detached(&gateway, 1).await;
        publisher.publish("kept-a", 2).await;
        let more = json!({"pid": connected["pid"], "offset": offset});
        // This one goes before it has read what it missed: it knows no later offset than before.
        let (lost, _) = Native::enter_with(&gateway, "ann", more.clone()).await;
        drop(lost);
        detached(&gateway, 1).await;
        let (mut ann, again) = Native::enter_with(&gateway, "ann", more).await;
        assert_eq!(again["recovered"], true);
        publisher.publish("kept-a", 3).await;
        assert_eq!(ann.data(2).await, [2, 3]);
    });
}

#[test]
fn a_join_that_goes_on_reading_can_lose_its_messages_and_have_them_again() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut publisher, _) = Native::enter(&gateway, "pub").await;
        let offset = publisher.publish("kept-a", 1).await["offset"].clone();
        publisher.publish("kept-a", 2).await;
        let (mut ann, connected) = Native::enter(&gateway, "ann").await;
        let request = json!({"op": "join", "room": "kept-a", "after": offset, "id": 99});
        ann.send(request.to_string()).await;
        until(async || figure(&gateway, "sluice_room_memberships").await == 1).await;
        drop(ann);
        detached(&gateway, 1).await;
        let more = json!({"pid": connected["pid"]});
        let (mut ann, again) = Native::enter_with(&gateway, "ann", more).await;
        assert_eq!(again["recovered"], true);
        publisher.publish("kept-a", 3).await;
        assert_eq!(ann.data(2).await, [2, 3]);
    });
}

#[test]
fn a_session_does_not_go_on_where_nobody_can_read_how_far_its_client_has_read() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut publisher, _) = Native::enter(&gateway, "pub").await;
        let newer = ["0000000000000001-1,later", "2:0000000000000001-1", "x", ""];
        for (at, unreadable) in newer.into_iter().enumerate() {
            let (mut ann, connected) = Native::enter(&gateway, "ann").await;
            join(&mut ann, "kept-a").await;
            publisher.publish("kept-a", 1).await;
            ann.push("m").await;
            drop(ann);
            let bob = SocketIo::enter(&gateway, "bob").await;
            let pid = bob.connected["pid"].clone();
            drop(bob);
            detached(&gateway, 3 * at as u64 + 2).await;
            let more = json!({"pid": connected["pid"], "offset": unreadable});
            let (ann, again) = Native::enter_with(&gateway, "ann", more).await;
            assert_eq!(again["recovered"], false, "{unreadable}");
            assert_ne!(again["pid"], connected["pid"], "{unreadable}");
            let more = json!({"pid": pid, "offset": unreadable});
            let bob = SocketIo::enter_with(&gateway, "bob", more).await;
            // The stock client takes a session for its own by this.
            assert_ne!(bob.connected["pid"], pid, "{unreadable}");
            let gone = r#"sluice_recoveries_total{outcome="gone"}"#;
            assert_eq!(figure(&gateway, gone).await, 2 * at as u64 + 2);
            ann.leave().await;
            drop(bob);
            detached(&gateway, 3 * at as u64 + 3).await;
        }
    });
}

#[test]
fn a_session_whose_connection_is_still_open_goes_over_to_the_new_one() {
    let mut one = cluster(json!({}));
    one["spec"]["limits"]["connectionsPerUser"] = json!(1);
    with(&[one, kept()], async |gateway| {
        let (mut old, connected) = Native::enter(&gateway, "ann").await;
        join(&mut old, "kept-a").await;
        let (_, refused) = Native::enter(&gateway, "ann").await;
        assert_eq!(refused["error"]["code"], "user_connections_exceeded");
        let more = json!({"pid": connected["pid"]});
        let (mut new, again) = Native::enter_with(&gateway, "ann", more).await;
        assert_eq!(
            (&again["ok"], &again["recovered"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(old.closed().await, 4500);
        new.publish("kept-a", 1).await;
        assert_eq!(new.data(1).await, [1]);
        new.leave().await;
        until(async || figure(&gateway, "sluice_sessions").await == 0).await;
        // Its one place is free again.
        assert_eq!(Native::enter(&gateway, "ann").await.1["ok"], true);
    });
}

#[test]
fn of_two_clients_that_claim_a_session_at_once_one_gets_it() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        for _ in 0..10 {
            let (mut ann, connected) = Native::enter(&gateway, "ann").await;
            join(&mut ann, "kept-a").await;
            drop(ann);
            detached(&gateway, 1).await;
            let more = json!({"pid": connected["pid"]});
            let (first, second) = tokio::join!(
                Native::enter_with(&gateway, "ann", more.clone()),
                Native::enter_with(&gateway, "ann", more),
            );
            assert!(first.1["ok"] == true && second.1["ok"] == true);
            let recovered = [&first.1, &second.1].map(|answer| answer["recovered"] == true);
            assert!(recovered[0] || recovered[1]);
            first.0.leave().await;
            second.0.leave().await;
            until(async || figure(&gateway, "sluice_sessions").await == 0).await;
            assert_eq!(figure(&gateway, "sluice_sessions_detached").await, 0);
            assert_eq!(figure(&gateway, "sluice_room_memberships").await, 0);
        }
    });
}

#[test]
fn a_session_is_not_given_to_another_user_or_namespace() {
    let two = cluster(json!({"namespaces": ["/", "/other"]}));
    with(&[two, kept()], async |gateway| {
        let (mut ann, connected) = Native::enter(&gateway, "ann").await;
        join(&mut ann, "kept-a").await;
        let pid = &connected["pid"];
        let (_bob, answer) = Native::enter_with(&gateway, "bob", json!({"pid": pid})).await;
        assert_eq!(answer["recovered"], false);
        assert_ne!(answer["session"], connected["session"]);
        let more = json!({"pid": pid, "namespace": "/other"});
        let (_other, answer) = Native::enter_with(&gateway, "ann", more).await;
        assert_eq!(answer["recovered"], false);
        // The session itself noticed nothing.
        ann.publish("kept-a", 1).await;
        assert_eq!(ann.data(1).await, [1]);
    });
}

#[test]
fn coming_back_shows_no_leave_and_no_join() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut watcher, _) = Native::enter(&gateway, "watcher").await;
        join(&mut watcher, "kept-a").await;
        watcher.push("presence").await;
        let mut ann = SocketIo::enter(&gateway, "ann").await;
        ann.ask(json!(["join", "kept-a"])).await;
        let joined = watcher.push("presence").await;
        assert_eq!(joined["data"]["joined"], json!(["ann"]));
        let pid = ann.connected["pid"].clone();
        drop(ann);
        detached(&gateway, 1).await;
        let mut ann = SocketIo::enter_with(&gateway, "ann", json!({"pid": pid})).await;
        assert_eq!(ann.connected["pid"], pid);
        // A second session of the same user is no news either.
        let (mut second, _) = Native::enter(&gateway, "ann").await;
        join(&mut second, "kept-a").await;
        second.leave().await;
        ann.ask(json!(["leave", "kept-a"])).await;
        let news = watcher.push("presence").await;
        assert_eq!(
            news["data"],
            json!({"room": "kept-a", "joined": [], "left": ["ann"]})
        );
    });
}
