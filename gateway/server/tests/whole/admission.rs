//! Clients that are let in while a backend, or another worker, takes its time.

use serde_json::{Value, json};

use crate::{
    backend::{answer, gateway, next, subscribe},
    metrics::figure,
    native::Native,
    socketio::SocketIo,
    support::{
        cluster,
        fleet::{Fleet, with_fleet},
        token, until, with,
    },
};

async fn accept(fleet: &Fleet, reply: Option<async_nats::Subject>) {
    answer(&fleet.client, reply, r#"{"ok":true}"#).await;
}

#[test]
fn an_answer_about_one_user_lets_no_other_in() {
    with_fleet(async |fleet| {
        let gateway = gateway(&fleet, json!({"askOnConnect": true})).await;
        let mut connects = subscribe(&fleet, "connect.=2F").await;
        let mut client = SocketIo::open(&gateway).await;
        client.connect("bob", json!({})).await;
        client.send("41").await;
        client.connect("ann", json!({})).await;
        let mut asked = [next(&mut connects).await, next(&mut connects).await];
        asked.sort_by_key(|(body, _)| body["user"] != "bob");
        let [(_, bobs), (about_ann, anns)] = asked;
        accept(&fleet, bobs).await;
        until(async || figure(&gateway, "sluice_nats_backend_requests_in_flight").await == 1).await;
        accept(&fleet, anns).await;
        let connected = client.text().await.unwrap();
        let connected: Value = serde_json::from_str(&connected[2..]).unwrap();
        assert_eq!(connected["sid"], about_ann["session"]);
        assert_eq!(figure(&gateway, "sluice_sessions").await, 1);
    });
}

#[test]
fn the_backend_is_told_the_session_that_the_client_will_have() {
    with_fleet(async |fleet| {
        let more = json!({"askOnConnect": true, "tellOnDisconnect": true});
        let gateway = gateway(&fleet, more).await;
        let mut connects = subscribe(&fleet, "connect.=2F").await;
        let mut disconnects = subscribe(&fleet, "disconnected.=2F").await;
        let mut enter = async |user: &str, more: Value| {
            let asked = async {
                let (body, reply) = next(&mut connects).await;
                accept(&fleet, reply).await;
                body
            };
            let ((client, entered), body) =
                tokio::join!(Native::enter_with(&gateway, user, more), asked);
            assert_eq!(body["session"], entered["session"], "{body} {entered}");
            assert_eq!(body["recovered"], entered["recovered"], "{body} {entered}");
            (client, entered)
        };
        let (ann, first) = enter("ann", json!({})).await;
        drop(ann);
        let told = next(&mut disconnects).await.0;
        assert_eq!(told["sessions"][0]["session"], first["session"]);
        let pid = json!({"pid": first["pid"]});
        // Bob has got hold of it, and is told of as another session.
        let (_bob, other) = enter("bob", pid.clone()).await;
        assert!(other["session"] != first["session"] && other["recovered"] == false);
        let (_ann, again) = enter("ann", pid).await;
        assert!(again["session"] == first["session"] && again["recovered"] == true);
        let made_up = json!({"pid": "AAAAAAAAAAAAAAAAAAAAAA"});
        let (_cat, new) = enter("cat", made_up).await;
        assert_eq!(new["recovered"], false);
    });
}

#[test]
fn a_backend_hears_the_end_of_what_it_let_in_for_a_client_that_had_gone() {
    with_fleet(async |fleet| {
        let more = json!({"askOnConnect": true, "tellOnDisconnect": true});
        let gateway = gateway(&fleet, more).await;
        let mut connects = subscribe(&fleet, "connect.=2F").await;
        let mut disconnects = subscribe(&fleet, "disconnected.=2F").await;
        let mut client = SocketIo::open(&gateway).await;
        client.connect("ann", json!({})).await;
        let (about, reply) = next(&mut connects).await;
        drop(client);
        until(async || figure(&gateway, "sluice_connections").await == 0).await;
        accept(&fleet, reply).await;
        let told = next(&mut disconnects).await.0;
        assert_eq!(told["sessions"][0]["session"], about["session"]);
        let kept = figure(&gateway, "sluice_sessions_detached").await;
        assert_eq!((kept, figure(&gateway, "sluice_sessions").await), (0, 0));
    });
}

#[test]
fn what_a_client_asks_for_waits_until_it_is_connected() {
    with_fleet(async |fleet| {
        let gateway = gateway(&fleet, json!({"askOnConnect": true})).await;
        let mut connects = subscribe(&fleet, "connect.=2F").await;
        let mut ann = Native::open(&gateway).await;
        let connect = json!({"op": "connect", "id": 0, "token": token("ann", 600)});
        ann.send(connect.to_string()).await;
        for id in 1..=150 {
            let room = format!("r{}", id % 20);
            let join = json!({"op": "join", "id": id, "room": room});
            ann.send(join.to_string()).await;
        }
        let (_, reply) = next(&mut connects).await;
        // The last has come by then: a ping behind it is answered.
        ann.pinged().await;
        accept(&fleet, reply).await;
        for id in 0..=150 {
            let answer = ann.answer(id).await;
            assert_eq!(answer["ok"], true, "{answer}");
        }
    });
}

#[test]
fn more_than_may_wait_for_a_connect_is_refused_by_a_code() {
    with_fleet(async |fleet| {
        let mut documents = fleet.cluster(crate::backend::backend(json!({"askOnConnect": true})));
        documents["spec"]["limits"]["payloadBytes"] = json!(1024);
        let gateway = fleet.gateway("a", &[documents]).await;
        let _never = subscribe(&fleet, "connect.=2F").await;
        let mut ann = Native::open(&gateway).await;
        let connect = json!({"op": "connect", "id": 0, "token": token("ann", 600)});
        ann.send(connect.to_string()).await;
        for id in 1..=20 {
            let join = json!({"op": "join", "id": id, "room": "r"});
            ann.send(join.to_string()).await;
        }
        let refused = ann.answer(20).await;
        assert_eq!(refused["error"]["code"], "too_many_in_flight", "{refused}");
    });
}

#[test]
fn clients_that_ask_and_take_it_back_leave_no_sessions() {
    with(&[cluster(json!({}))], async |gateway| {
        let mut client = SocketIo::open(&gateway).await;
        let mut asked = 0;
        for _ in 0..200 {
            let pid = sluice_rooms::Pid::random().reveal();
            client.connect("ann", json!({"pid": pid})).await;
            client.send("41").await;
            asked += 1;
        }
        let unknown = "sluice_recoveries_total{outcome=\"unknown\"}";
        until(async || figure(&gateway, unknown).await == asked).await;
        drop(client);
        until(async || figure(&gateway, "sluice_connections").await == 0).await;
        let kept = figure(&gateway, "sluice_sessions_detached").await;
        assert_eq!((kept, figure(&gateway, "sluice_sessions").await), (0, 0));
    });
}
