//! The client of the gateways, against a real one.
//!
//! The gateway is the program that `SLUICE_GATEWAY_BINARY` names, or is built from this repository.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod process;

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use sluice_contract::DrainPhase;
use sluice_operator::{
    fleet::{DrainCommand, DrainReason},
    gateways::{GatewayClient, GatewayErrorKind},
};
use tokio::net::TcpListener;

use self::process::{Gateway, until};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const KEY: &str = "the-operators-key-for-tests";

fn asking(gateway: &Gateway, key: &str) -> GatewayClient {
    GatewayClient::new(key).unwrap().with_port(gateway.api)
}

const ROLLOUT: DrainCommand = DrainCommand::Start {
    reason: DrainReason::Rollout,
    rate: Some(0.01),
};

#[tokio::test]
async fn a_gateway_says_how_many_connections_it_has_and_that_it_serves() {
    let gateway = Gateway::start(KEY).await;
    let gateways = asking(&gateway, KEY);
    let _clients = gateway.connect(3).await;
    let seen = gateways.read(HERE).await.unwrap();
    assert_eq!((seen.connections, seen.phase), (3, DrainPhase::Serving));
    let fleet = gateways.fleet(HERE).await.unwrap();
    assert_eq!((fleet.len(), fleet[0].connections), (1, 3));
    assert_eq!(&*fleet[0].name, "gateway-under-test");
    assert!(!fleet[0].policy.digest.is_empty());
}

#[tokio::test]
async fn a_drain_is_begun_watched_and_called_off() {
    let gateway = Gateway::start(KEY).await;
    let gateways = asking(&gateway, KEY);
    let _clients = gateway.connect(5).await;
    gateways.drain(HERE, &ROLLOUT).await.unwrap();
    // Telling it twice is the same as once.
    gateways.drain(HERE, &ROLLOUT).await.unwrap();
    let moves = async || gateways.read(HERE).await.unwrap().phase == DrainPhase::Move;
    until(moves).await;
    gateways.drain(HERE, &DrainCommand::Cancel).await.unwrap();
    let seen = gateways.read(HERE).await.unwrap();
    assert_eq!(seen.phase, DrainPhase::Serving);
    assert!(seen.connections >= 4, "{seen:?}");
    gateway.connect(1).await;
}

#[tokio::test]
async fn a_drain_moves_everyone_and_the_process_ends() {
    let mut gateway = Gateway::start(KEY).await;
    let gateways = asking(&gateway, KEY);
    let clients = gateway.connect(5).await;
    let start = DrainCommand::Start {
        reason: DrainReason::ScaleDown,
        rate: None,
    };
    gateways.drain(HERE, &start).await.unwrap();
    for client in clients {
        assert_eq!(client.closed().await, 4000);
    }
    assert!(gateway.ended().await.success());
    let error = gateways.read(HERE).await.unwrap_err();
    assert_eq!(error.kind(), GatewayErrorKind::Unreachable);
}

#[tokio::test]
async fn a_rebalance_moves_as_many_as_asked_and_the_gateway_serves_all_the_while() {
    let gateway = Gateway::start(KEY).await;
    let gateways = asking(&gateway, KEY);
    let clients = gateway.connect(20).await;
    let some = DrainCommand::Rebalance {
        connections: 7,
        rate: Some(20.0),
    };
    gateways.drain(HERE, &some).await.unwrap();
    let phase = async || gateways.read(HERE).await.unwrap().phase;
    assert_eq!(phase().await, DrainPhase::Rebalance);
    assert_eq!(gateway.readiness().await, 200);
    let late = gateway.connect(1).await;
    until(async || phase().await == DrainPhase::Serving).await;
    let seen = async || gateways.read(HERE).await.unwrap();
    assert_eq!(seen().await.moved, 7);
    until(async || seen().await.connections == 14).await;
    drop((clients, late));
}

#[tokio::test]
async fn a_drain_takes_over_from_a_rebalance_and_not_the_other_way_round() {
    let gateway = Gateway::start(KEY).await;
    let gateways = asking(&gateway, KEY);
    let _clients = gateway.connect(10).await;
    let some = DrainCommand::Rebalance {
        connections: 5,
        rate: Some(0.01),
    };
    gateways.drain(HERE, &some).await.unwrap();
    gateways.drain(HERE, &ROLLOUT).await.unwrap();
    let drains = async || gateways.read(HERE).await.unwrap().phase == DrainPhase::Move;
    until(drains).await;
    gateways.drain(HERE, &some).await.unwrap();
    assert!(drains().await);
}

#[tokio::test]
async fn what_a_signal_began_is_not_called_off() {
    let gateway = Gateway::start(KEY).await;
    let gateways = asking(&gateway, KEY);
    let _clients = gateway.connect(2).await;
    gateways.drain(HERE, &ROLLOUT).await.unwrap();
    gateway.terminate();
    let refused = async || {
        let cancelled = gateways.drain(HERE, &DrainCommand::Cancel).await;
        cancelled.is_err_and(|error| error.kind() == GatewayErrorKind::Refused)
    };
    until(refused).await;
}

#[tokio::test]
async fn a_wrong_key_is_told_apart_and_a_new_one_takes_without_a_restart() {
    let gateway = Gateway::start(KEY).await;
    let kind = async |key: &str| {
        let read = asking(&gateway, key).read(HERE).await;
        read.map_err(|error| error.kind()).err()
    };
    let other = "another-key-for-tests";
    assert_eq!(kind(other).await, Some(GatewayErrorKind::Forbidden));
    gateway.set_key(other);
    until(async || kind(other).await.is_none()).await;
    assert_eq!(kind(KEY).await, Some(GatewayErrorKind::Forbidden));
    // One that cannot be used leaves the last one in force.
    gateway.set_key("short");
    until(async || gateway.log().contains("the operator's key cannot be used")).await;
    assert_eq!(kind(other).await, None);
}

#[tokio::test]
async fn the_operators_key_opens_nothing_but_drains_and_the_fleet() {
    let gateway = Gateway::start(KEY).await;
    assert_eq!(gateway.get("/v1/drain", KEY).await, 200);
    assert_eq!(gateway.get("/v1/fleet", KEY).await, 200);
    assert_eq!(gateway.get("/v1/sessions", KEY).await, 403);
}

#[tokio::test]
async fn a_gateway_that_takes_a_request_and_is_silent_is_given_up() {
    let listener = TcpListener::bind((HERE, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let gateways = GatewayClient::new(KEY).unwrap().with_port(port);
    let begun = Instant::now();
    let error = gateways.read(HERE).await.unwrap_err();
    assert_eq!(error.kind(), GatewayErrorKind::Slow);
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(
        error.to_string().contains("did not answer within"),
        "{error}"
    );
}

#[tokio::test]
async fn whatever_else_listens_there_is_not_taken_for_a_gateway() {
    let gateway = Gateway::start(KEY).await;
    let gateways = GatewayClient::new(KEY).unwrap().with_port(gateway.ops);
    let error = gateways.read(HERE).await.unwrap_err();
    assert_eq!(error.kind(), GatewayErrorKind::Unclear);
}

#[tokio::test]
async fn a_gateway_says_what_it_has_of_the_rooms() {
    let gateway = Gateway::start(KEY).await;
    let rooms = asking(&gateway, KEY).rooms(HERE).await.unwrap();
    assert!(rooms.stores, "its memory takes all");
    assert!(rooms.rooms.is_empty(), "there is no Room");
}
