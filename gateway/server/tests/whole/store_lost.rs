//! What the store of NATS loses is seen, and clients are told.

use async_nats::jetstream;
use reqwest::Method;
use serde_json::{Value, json};
use sluice_test_nats::{Folder, Server, Settings};

use crate::{
    metrics::figure,
    native::Native,
    support::{
        Gateway,
        fleet::{Fleet, with_fleet},
        kept, room, until,
    },
};

const ROOMS: &str = "SLUICE_default_test_ROOMS";
const SESSIONS: &str = "SLUICE_default_test_SESSIONS";

/// What is stored there is of a room that nobody is in.
const SUBJECT: &str = "sluice.default.test.in.=2F.kept-b";

/// A server by itself with a copy of a store.
async fn another(copy: &Folder) -> Server {
    let mut server = Server::start(Settings::default().jetstream()).await;
    server.kill().await;
    server.put_back(copy);
    server.restart().await;
    server
}

async fn start(fleet: &Fleet) -> Gateway {
    let gateway = fleet
        .gateway("a", &[fleet.cluster(json!({})), kept()])
        .await;
    until(async || stores(&gateway).await).await;
    gateway
}

async fn stores(gateway: &Gateway) -> bool {
    let rooms = gateway.api(Method::GET, "/v1/rooms", &Value::Null).await;
    rooms["stores"] == true
}

async fn losses(gateway: &Gateway, what: &str) -> u64 {
    let name = format!("sluice_backbone_stream_losses_total{{what=\"{what}\"}}");
    figure(gateway, &name).await
}

/// A client in the room that has got one message; and how it goes on.
async fn reader(gateway: &Gateway) -> (Native, Value) {
    let (mut ann, connected) = Native::enter(gateway, "ann").await;
    ann.must(json!({"op": "join", "room": "kept-a"})).await;
    let (mut publisher, _) = Native::enter(gateway, "pub").await;
    publisher.publish("kept-a", 1).await;
    let offset = ann.push("m").await["offset"].clone();
    let more = json!({"pid": connected["pid"], "offset": offset});
    (ann, more)
}

/// The reader is sent away because of the history, and learns that it cannot go on.
async fn is_told(gateway: &Gateway, mut reader: Native, more: Value) {
    assert_eq!(reader.closed().await, 4006);
    let (_, again) = Native::enter_with(gateway, "ann", more).await;
    assert_eq!(again["recovered"], false, "{again}");
}

/// Whoever joins now gets what is published now.
async fn works(gateway: &Gateway) {
    let (mut bob, _) = Native::enter(gateway, "bob").await;
    bob.must(json!({"op": "join", "room": "kept-a"})).await;
    bob.publish("kept-a", 7).await;
    assert_eq!(bob.push("m").await["data"], 7);
}

#[test]
fn members_are_told_when_the_store_is_put_back_to_an_older_copy() {
    with_fleet(async |mut fleet| {
        let gateway = start(&fleet).await;
        let (mut ann, mut more) = reader(&gateway).await;
        fleet.server.stop().await;
        let copy = fleet.server.copy_store();
        fleet.server.restart().await;
        until(async || stores(&gateway).await).await;
        let (mut publisher, _) = Native::enter(&gateway, "pub").await;
        for number in 2..102 {
            publisher.publish("kept-a", number).await;
            more["offset"] = ann.push("m").await["offset"].clone();
        }
        fleet.server.kill().await;
        fleet.server.put_back(&copy);
        fleet.server.restart().await;
        is_told(&gateway, ann, more).await;
        assert_eq!(losses(&gateway, "rooms_back").await, 1);
        works(&gateway).await;
        assert_eq!(losses(&gateway, "rooms_back").await, 1);
    });
}

/// Messages that were stored meanwhile have the offsets of those that were lost.
#[test]
fn members_are_told_when_the_store_was_put_back_and_has_grown_past_what_they_have() {
    with_fleet(async |mut fleet| {
        let gateway = start(&fleet).await;
        fleet.server.stop().await;
        let copy = fleet.server.copy_store();
        fleet.server.restart().await;
        until(async || stores(&gateway).await).await;
        let (ann, more) = reader(&gateway).await;
        fleet.server.kill().await;
        // At another server, so that what is stored is not the gateway's doing.
        let mut other = another(&copy).await;
        let client = async_nats::connect(other.url()).await.unwrap();
        let context = jetstream::new(client);
        for _ in 0..50 {
            let sent = context.publish(SUBJECT, "{}".into()).await.unwrap();
            sent.await.unwrap();
        }
        other.stop().await;
        fleet.server.put_back(&other.copy_store());
        fleet.server.restart().await;
        is_told(&gateway, ann, more).await;
        assert_eq!(losses(&gateway, "rooms_back").await, 1);
        works(&gateway).await;
    });
}

#[test]
fn a_stream_of_rooms_that_is_deleted_is_made_again_and_members_are_told() {
    with_fleet(async |fleet| {
        let gateway = start(&fleet).await;
        let (ann, more) = reader(&gateway).await;
        let context = jetstream::new(fleet.client.clone());
        context.delete_stream(ROOMS).await.unwrap();
        is_told(&gateway, ann, more).await;
        assert_eq!(losses(&gateway, "rooms_gone").await, 1);
        assert_eq!(losses(&gateway, "rooms_anew").await, 1);
        works(&gateway).await;
    });
}

#[test]
fn members_are_told_when_the_stream_of_rooms_is_deleted_and_made_anew_at_once() {
    with_fleet(async |fleet| {
        let gateway = start(&fleet).await;
        let (ann, more) = reader(&gateway).await;
        let context = jetstream::new(fleet.client.clone());
        let stream = context.get_stream(ROOMS).await.unwrap();
        let config = stream.cached_info().config.clone();
        context.delete_stream(ROOMS).await.unwrap();
        context.create_stream(config).await.unwrap();
        is_told(&gateway, ann, more).await;
        assert_eq!(losses(&gateway, "rooms_anew").await, 1);
        works(&gateway).await;
    });
}

#[test]
fn sessions_are_stored_again_when_their_stream_is_deleted() {
    with_fleet(async |fleet| {
        let gateway = start(&fleet).await;
        let (_ann, _) = reader(&gateway).await;
        let context = jetstream::new(fleet.client.clone());
        context.delete_stream(SESSIONS).await.unwrap();
        until(async || {
            let Ok(mut stream) = context.get_stream(SESSIONS).await else {
                return false;
            };
            let info = stream.info().await.unwrap();
            // Ann, who published, and that the gateway has sessions.
            info.state.messages == 3
        })
        .await;
        assert!(losses(&gateway, "sessions_gone").await <= 1);
        assert_eq!(losses(&gateway, "sessions_anew").await, 1);
    });
}

#[test]
fn members_are_told_when_messages_expired_while_their_gateway_was_cut_off() {
    with_fleet(async |mut fleet| {
        let short = json!({"history": {"maxMessages": 100, "maxAge": "1s"}});
        let documents = [fleet.cluster(json!({})), room("short", "kept-*", short)];
        let gateway = fleet.gateway("a", &documents).await;
        until(async || stores(&gateway).await).await;
        let (ann, more) = reader(&gateway).await;
        fleet.server.stop().await;
        let mut other = another(&fleet.server.copy_store()).await;
        let context = jetstream::new(async_nats::connect(other.url()).await.unwrap());
        let sent = context.publish(SUBJECT, "{}".into()).await.unwrap();
        sent.await.unwrap();
        // As if it had expired: the gateway is away for longer than its room keeps messages.
        let stream = context.get_stream(ROOMS).await.unwrap();
        stream.purge().filter(SUBJECT).await.unwrap();
        until(async || !stores(&gateway).await).await;
        other.stop().await;
        fleet.server.put_back(&other.copy_store());
        fleet.server.restart().await;
        is_told(&gateway, ann, more).await;
        let lost = figure(&gateway, "sluice_backbone_messages_total{fate=\"lost\"}");
        assert_eq!(lost.await, 1);
    });
}

#[test]
fn a_session_is_told_when_its_room_was_purged_before_it_came_back_elsewhere() {
    for keep in [0, 1] {
        with_fleet(async |fleet| {
            let gateway = start(&fleet).await;
            let documents = [fleet.cluster(json!({})), kept()];
            let elsewhere = fleet.gateway("b", &documents).await;
            fleet.ready(&[&gateway, &elsewhere]).await;
            let (ann, more) = reader(&gateway).await;
            drop(ann);
            let (mut publisher, _) = Native::enter(&gateway, "pub").await;
            for number in 2..5 {
                publisher.publish("kept-a", number).await;
            }
            let context = jetstream::new(fleet.client.clone());
            let stream = context.get_stream(ROOMS).await.unwrap();
            let purge = stream.purge().filter("sluice.default.test.in.=2F.kept-a");
            match keep {
                0 => purge.await.map(drop).unwrap(),
                keep => purge.keep(keep).await.map(drop).unwrap(),
            }
            let (_, again) = Native::enter_with(&elsewhere, "ann", more).await;
            assert_eq!(again["recovered"], false, "{again}");
        });
    }
}
