//! Backends that subscribe.

use std::{cell::Cell, rc::Rc};

use async_nats::{Client, Subscriber};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::{
    metrics::{self, figure},
    native::Native,
    socketio::SocketIo,
    support::{
        Gateway,
        fleet::{Fleet, PREFIX, with_fleet},
        until,
    },
};

pub(crate) fn backend(more: Value) -> Value {
    let mut backend = json!({"nats": {"timeout": "30s"}});
    let fields = backend.as_object_mut().unwrap();
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    json!({"backend": backend})
}

pub(crate) async fn gateway(fleet: &Fleet, more: Value) -> Gateway {
    fleet.gateway("a", &[fleet.cluster(backend(more))]).await
}

pub(crate) async fn subscribe(fleet: &Fleet, subject: &str) -> Subscriber {
    let subject = format!("{PREFIX}.{subject}");
    let subscriber = fleet.client.queue_subscribe(subject, "shop".to_owned());
    let subscriber = subscriber.await.unwrap();
    // Its answer, that nobody is there, comes when the server has the subscription.
    let nobody = fleet.client.request("nobody", "".into()).await;
    nobody.unwrap_err();
    subscriber
}

pub(crate) async fn next(subscriber: &mut Subscriber) -> (Value, Option<async_nats::Subject>) {
    let message = subscriber.next().await.unwrap();
    let body = serde_json::from_slice(&message.payload).unwrap();
    (body, message.reply)
}

pub(crate) async fn answer(client: &Client, reply: Option<async_nats::Subject>, answer: &str) {
    client
        .publish(reply.unwrap(), answer.to_owned().into())
        .await
        .unwrap();
    client.flush().await.unwrap();
}

fn emit(event: &str, data: &Value) -> Value {
    json!({"op": "emit", "event": event, "data": data})
}

#[test]
fn an_event_goes_to_one_backend_of_a_group_and_its_answer_to_the_client() {
    with_fleet(async |fleet| {
        let gateway = gateway(&fleet, json!({})).await;
        let served = Rc::new([Cell::new(0), Cell::new(0)]);
        let serve = async |index: usize| {
            let mut events = subscribe(&fleet, "up.=2F.order=2Enew").await;
            loop {
                let (body, reply) = next(&mut events).await;
                assert_eq!(
                    (&body["type"], &body["user"]),
                    (&json!("event"), &json!("ann"))
                );
                assert_eq!(
                    (&body["namespace"], &body["event"]),
                    (&json!("/"), &json!("order.new"))
                );
                assert!(body["session"].is_string() && body["ack"] == true, "{body}");
                let item = body["data"]["item"].as_u64().unwrap();
                let total = json!({"ok": true, "data": {"total": item * 2}}).to_string();
                answer(&fleet.client, reply, &total).await;
                served[index].set(served[index].get() + 1);
            }
        };
        let ask = async {
            let (mut ann, _) = Native::enter(&gateway, "ann").await;
            for item in 0..20 {
                let answer = ann.ask(emit("order.new", &json!({"item": item}))).await;
                assert_eq!(answer["data"]["total"], item * 2, "{answer}");
            }
        };
        tokio::select! {
            () = async { tokio::join!(serve(0), serve(1)); } => {}
            () = ask => {}
        }
        assert!(
            served.iter().map(Cell::get).sum::<u32>() >= 19,
            "each event was served once"
        );
    });
}

#[test]
fn without_a_backend_an_event_is_refused_at_once_and_a_slow_one_in_time() {
    with_fleet(async |fleet| {
        let gateway = gateway(&fleet, json!({"nats": {"timeout": "300ms"}})).await;
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        let refused = ann.ask(emit("order", &json!(1))).await;
        assert_eq!(refused["error"]["code"], "backend_unreachable", "{refused}");
        let _never = subscribe(&fleet, "up.=2F.order").await;
        let refused = ann.ask(emit("order", &json!(1))).await;
        assert_eq!(refused["error"]["code"], "backend_timeout", "{refused}");
        let outcomes =
            r#"sluice_nats_backend_requests_total{kind="event",outcome="backend_timeout"}"#;
        assert_eq!(figure(&gateway, outcomes).await, 1);
    });
}

#[test]
fn a_refusal_and_an_answer_that_cannot_be_read_reach_the_client_as_codes() {
    with_fleet(async |fleet| {
        let gateway = gateway(&fleet, json!({})).await;
        let mut events = subscribe(&fleet, "up.=2F.order").await;
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        for (text, code) in [
            (
                r#"{"ok":false,"error":{"code":"sold_out","message":"Nothing is left."}}"#,
                "sold_out",
            ),
            (r#"{"ok":false}"#, "backend_refused"),
            ("nonsense", "backend_answer_invalid"),
        ] {
            let request = emit("order", &json!(1));
            let serve = async {
                let (_, reply) = next(&mut events).await;
                answer(&fleet.client, reply, text).await;
            };
            let (refused, ()) = tokio::join!(ann.ask(request), serve);
            assert_eq!(refused["error"]["code"], code, "{refused}");
        }
    });
}

#[test]
fn an_event_whose_client_waits_for_nothing_is_only_published() {
    with_fleet(async |fleet| {
        let gateway = gateway(&fleet, json!({})).await;
        let mut events = subscribe(&fleet, "up.>").await;
        let mut bob = SocketIo::enter(&gateway, "bob").await;
        bob.send(r#"42["typing",{"on":true}]"#).await;
        let (body, reply) = next(&mut events).await;
        assert_eq!(
            (&body["event"], &body["ack"]),
            (&json!("typing"), &json!(false))
        );
        assert_eq!(reply, None);
    });
}

#[test]
fn a_backend_is_asked_about_each_session_and_told_of_its_end() {
    with_fleet(async |fleet| {
        let more = json!({"askOnConnect": true, "tellOnDisconnect": true});
        let gateway = gateway(&fleet, more).await;
        let mut connects = subscribe(&fleet, "connect.=2F").await;
        let mut disconnects = subscribe(&fleet, "disconnected.=2F").await;
        let serve = async {
            for text in [
                r#"{"ok":true,"rooms":["lobby"]}"#,
                r#"{"error":{"code":"banned","message":"No."}}"#,
            ] {
                let (body, reply) = next(&mut connects).await;
                assert_eq!(
                    (&body["type"], &body["protocol"]),
                    (&json!("connect"), &json!("websocket"))
                );
                assert_eq!(body["claims"]["sub"], body["user"]);
                answer(&fleet.client, reply, text).await;
            }
        };
        let enter = async {
            let (mut ann, answer) = Native::enter(&gateway, "ann").await;
            assert_eq!(answer["ok"], true, "{answer}");
            ann.must(json!({"op": "leave", "room": "lobby"})).await;
            let (_, answer) = Native::enter(&gateway, "bob").await;
            assert_eq!(answer["error"]["code"], "banned", "{answer}");
        };
        tokio::join!(serve, enter);
        let (body, _) = next(&mut disconnects).await;
        assert_eq!(body["type"], "disconnected");
        assert_eq!(body["sessions"][0]["user"], "ann");
        assert_eq!(body["dropped"], 0);
    });
}

#[test]
fn a_code_of_an_application_is_never_taken_for_one_of_the_gateway() {
    with_fleet(async |fleet| {
        let gateway = gateway(&fleet, json!({"askOnConnect": true})).await;
        let mut connects = subscribe(&fleet, "connect.=2F").await;
        let mut serve = async |code: &str| {
            let (_, reply) = next(&mut connects).await;
            let refusal = json!({"error": {"code": code, "message": "No."}});
            answer(&fleet.client, reply, &refusal.to_string()).await;
        };
        for code in ["token_expired", "draining", "overloaded"] {
            let (mut ann, refused) = tokio::join!(Native::enter(&gateway, "ann"), serve(code)).0;
            assert_eq!(refused["error"]["code"], code, "{refused}");
            assert_eq!(ann.closed().await, 4503, "{code}");
            let packet = tokio::join!(SocketIo::refused(&gateway, "ann"), serve(code)).0;
            assert_eq!(packet["data"]["code"], code, "{packet}");
            assert_eq!(metrics::refused(&gateway, code).await, 0, "{code}");
        }
        assert_eq!(metrics::refused(&gateway, "backend_refused").await, 6);
    });
}

#[test]
fn while_nats_is_away_events_are_refused_at_once() {
    with_fleet(async |mut fleet| {
        let gateway = gateway(&fleet, json!({})).await;
        let (mut ann, _) = Native::enter(&gateway, "ann").await;
        fleet.server.kill().await;
        until(async || figure(&gateway, "sluice_control_connected").await == 0).await;
        let refused = ann.ask(emit("order", &json!(1))).await;
        assert_eq!(refused["error"]["code"], "backend_unreachable", "{refused}");
    });
}
