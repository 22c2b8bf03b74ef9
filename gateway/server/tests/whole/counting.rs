//! What is counted in is counted out.

use reqwest::Method;
use serde_json::json;

use crate::{
    metrics::{figure, scrape},
    native::Native,
    socketio::SocketIo,
    support::{Gateway, cluster, kept, until, with},
};

/// Waits until nothing is left of anyone.
async fn nobody_left(gateway: &Gateway) {
    let names = [
        "sluice_connections",
        "sluice_sessions",
        "sluice_sessions_detached",
        "sluice_room_memberships",
        "sluice_queue_bytes",
        "sluice_replay_bytes",
        "sluice_sockets",
    ];
    until(async || {
        let figures = scrape(gateway).await;
        let left = names.iter().filter(|name| figures[**name] != 0.0);
        left.count() == 0
    })
    .await;
}

#[test]
fn every_count_is_back_at_zero_when_everyone_has_gone_by_whatever_way() {
    let short = cluster(json!({"recovery": {"window": "1s"}}));
    with(&[short, kept()], async |gateway| {
        let (mut leaves, _) = Native::enter(&gateway, "leaves").await;
        let (mut is_lost, _) = Native::enter(&gateway, "lost").await;
        let (mut disconnected, _) = Native::enter(&gateway, "disconnected").await;
        let (mut recovered, connected) = Native::enter(&gateway, "recovered").await;
        let mut socketio = SocketIo::enter(&gateway, "socketio").await;
        let clients = [&mut leaves, &mut is_lost, &mut disconnected, &mut recovered];
        for client in clients {
            for room in ["kept-a", "kept-b", "c"] {
                client.must(json!({"op": "join", "room": room})).await;
            }
        }
        socketio.ask(json!(["join", "kept-a"])).await;
        assert_eq!(figure(&gateway, "sluice_room_memberships").await, 13);

        leaves.leave().await;
        drop(is_lost);
        let path = "/v1/users/disconnected/sessions";
        gateway.api(Method::DELETE, path, &json!({})).await;
        assert_eq!(disconnected.closed().await, 4502);
        drop(recovered);
        let more = json!({"pid": connected["pid"]});
        let (recovered, _) = Native::enter_with(&gateway, "recovered", more).await;
        recovered.leave().await;
        socketio.send("41").await;
        drop(socketio);
        drop(disconnected);
        nobody_left(&gateway).await;
    });
}

#[test]
fn a_detached_session_that_a_backend_disconnects_is_gone() {
    with(&[cluster(json!({})), kept()], async |gateway| {
        let (mut ann, connected) = Native::enter(&gateway, "ann").await;
        ann.must(json!({"op": "join", "room": "kept-a"})).await;
        drop(ann);
        until(async || figure(&gateway, "sluice_sessions_detached").await == 1).await;
        let path = "/v1/users/ann/sessions";
        gateway.api(Method::DELETE, path, &json!({})).await;
        nobody_left(&gateway).await;
        let more = json!({"pid": connected["pid"]});
        let (ann, answer) = Native::enter_with(&gateway, "ann", more).await;
        assert_eq!(answer["recovered"], false);
        ann.leave().await;
        nobody_left(&gateway).await;
    });
}

#[test]
fn a_user_who_was_refused_does_not_count() {
    let mut one = cluster(json!({}));
    one["spec"]["limits"]["connectionsPerUser"] = json!(1);
    with(&[one], async |gateway| {
        let (ann, _) = Native::enter(&gateway, "ann").await;
        for _ in 0..3 {
            let (mut refused, answer) = Native::enter(&gateway, "ann").await;
            assert_eq!(answer["error"]["code"], "user_connections_exceeded");
            assert_eq!(refused.closed().await, 4004);
        }
        ann.leave().await;
        nobody_left(&gateway).await;
        assert_eq!(Native::enter(&gateway, "ann").await.1["ok"], true);
    });
}

#[test]
fn a_connection_that_polls_counts_until_it_ends() {
    with(&[cluster(json!({}))], async |gateway| {
        let address = gateway.embedded.clients();
        let url = format!("http://{address}/socket.io/?EIO=4&transport=polling");
        let http = reqwest::Client::new();
        let ask = async |request: reqwest::RequestBuilder| {
            request.send().await.unwrap().text().await.unwrap()
        };
        let opened = ask(http.get(&url)).await;
        let opened: serde_json::Value = serde_json::from_str(&opened[1..]).unwrap();
        let url = format!("{url}&sid={}", opened["sid"].as_str().unwrap());
        let token = crate::support::token("ann", 600);
        ask(http
            .post(&url)
            .body(format!("40{}", json!({"token": token}))))
        .await;
        assert!(ask(http.get(&url)).await.starts_with("40"));
        assert_eq!(figure(&gateway, "sluice_connections").await, 1);
        assert_eq!(figure(&gateway, "sluice_sessions").await, 1);
        ask(http.post(&url).body("41\u{1e}1")).await;
        until(async || figure(&gateway, "sluice_sessions").await == 0).await;
        until(async || figure(&gateway, "sluice_connections").await == 0).await;
    });
}
