//! WebSocket connections that reach another gateway than their session's.

use std::time::{Duration, Instant};

use sluice_codec::peer::Tell;
use sluice_engineio::Leaving;

use crate::{
    gateways::pair,
    support::{Between, ENOUGH_PINGS, Server, WebSocket, brisk, calm, eventually, roomy},
};

const HERE: u32 = 1;
const THERE: u32 = 2;

/// As much as may be under way in one direction.
const WINDOW: u64 = 256 * 1024;

/// A session of `owner` that has moved to a WebSocket at `other`.
async fn moved(owner: &Server, other: &Server) -> WebSocket {
    let sid = owner.client().open().await;
    let mut websocket = other.client().probe(&sid).await;
    websocket.send("5").await;
    websocket.send("4moved").await;
    assert_eq!(websocket.next().await, "4moved");
    websocket
}

/// Nothing is left of tunnels, connections and sockets.
async fn nothing_is_left(servers: [&Server; 2], between: &Between) {
    for (server, number) in servers.into_iter().zip([HERE, THERE]) {
        let counters = &server.counters[0];
        eventually("no tunnel", || {
            between.count(number, |c| c.tunnels.get()) == 0
        })
        .await;
        eventually("no connection", || counters.connections.get() == 0).await;
        eventually("no socket", || counters.sockets.get() == 0).await;
        assert_eq!(counters.queued_bytes.get(), 0);
    }
}

#[tokio::test]
async fn what_waits_for_the_client_moves_with_it_to_the_other_gateway() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    owner.client().say(&sid, "4burst 50\x1ebAQI=").await;
    let mut websocket = other.client().probe(&sid).await;
    websocket.send("5").await;
    websocket.send("4last").await;
    let wanted: Vec<_> = (0..50)
        .map(|n| format!("4{n}"))
        .chain(["binary b\"\\x01\\x02\"".to_owned(), "4last".into()])
        .collect();
    assert_eq!(websocket.take(52).await, wanted);
    assert_eq!(owner.counters[0].connections.get(), 1);
    assert_eq!(other.counters[0].connections.get(), 0);
    for number in [HERE, THERE] {
        assert_eq!(between.count(number, |c| c.tunnels.get()), 1);
        assert_eq!(between.count(number, |c| c.tunnels_opened.get()), 1);
    }
    drop(websocket);
    owner.seen.wait_for("closed lost").await;
    nothing_is_left([&owner, &other], &between).await;
    assert_eq!(between.count(HERE, |c| c.broken.get()), 0);
    assert_eq!(between.count(THERE, |c| c.broken.get()), 0);
}

#[tokio::test]
async fn requests_of_one_session_may_take_turns_between_gateways_to_the_end() {
    let between = Between::new();
    let (one, other) = pair(&calm(), &between);
    for (first, second) in [(&one, &other), (&other, &one)] {
        let (mine, yours) = (first.client(), second.client());
        let sid = mine.open().await;
        yours.say(&sid, "4a").await;
        assert_eq!(mine.poll(&sid).await.packets(), ["4a"]);
        let poll = yours.start_poll(&sid);
        mine.say(&sid, "4b").await;
        assert_eq!(poll.await.unwrap().packets(), ["4b"]);
        let poll = mine.start_poll(&sid);
        let mut websocket = yours.probe(&sid).await;
        assert_eq!(poll.await.unwrap().packets(), ["6"]);
        websocket.send("5").await;
        websocket.send("4c").await;
        websocket.send_binary(&[7]).await;
        assert_eq!(websocket.take(2).await, ["4c", "binary b\"\\x07\""]);
        assert_eq!(mine.poll(&sid).await.status, 400);
        websocket.send("1").await;
        assert_eq!(websocket.next().await, "close 1000");
        first.seen.wait_for("closed client").await;
    }
}

/// The client sends both before it reads, so that both answers may wait for it at once.
#[tokio::test]
async fn long_messages_pass_in_both_directions() {
    let between = Between::new();
    let (owner, other) = pair(&roomy(), &between);
    let mut websocket = moved(&owner, &other).await;
    let long: String = ('a'..='z').cycle().take(900_000).collect();
    let bytes: Vec<u8> = (0..=255).cycle().take(900_000).collect();
    websocket.send(&format!("4{long}")).await;
    websocket.send_binary(&bytes).await;
    assert!(websocket.next().await == format!("4{long}"));
    assert!(websocket.next().await == format!("binary {:?}", bytes::Bytes::from(bytes)));
    assert!(between.most_under_way() <= WINDOW);
}

#[tokio::test]
async fn no_more_is_under_way_than_the_window_to_a_client_that_reads_slowly() {
    let between = Between::new();
    let (owner, other) = pair(&roomy(), &between);
    let mut websocket = moved(&owner, &other).await;
    for _ in 0..24 {
        websocket.send("4big 1000000").await;
    }
    eventually("a full window", || between.most_under_way() == WINDOW).await;
    assert!(owner.counters[0].queued_bytes.get() > 0);
    for _ in 0..24 {
        assert_eq!(websocket.next().await.len(), 1_000_001);
    }
    websocket.send("4hello").await;
    assert_eq!(websocket.next().await, "4hello");
    assert_eq!(between.most_under_way(), WINDOW);
}

#[tokio::test]
async fn no_more_is_under_way_than_the_window_to_an_owner_that_is_busy() {
    let between = Between::new();
    let (owner, other) = pair(&roomy(), &between);
    let mut websocket = moved(&owner, &other).await;
    owner.pause();
    websocket.send("4pause").await;
    let bytes = vec![1; 900_000];
    tokio::join!(websocket.send_binary(&bytes), async {
        eventually("a full window", || between.most_under_way() == WINDOW).await;
        owner.resume();
    });
    let wanted = format!("binary {:?}", bytes::Bytes::from(bytes));
    assert!(websocket.next().await == wanted);
    assert_eq!(between.most_under_way(), WINDOW);
}

#[tokio::test]
async fn a_client_that_does_not_read_at_all_is_cut_at_the_bound() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let mut websocket = moved(&owner, &other).await;
    for _ in 0..40 {
        websocket.send("4big 900000").await;
    }
    owner.seen.wait_for("closed slow_consumer").await;
    assert_eq!(owner.counters[0].slow_consumers.get(), 1);
    drop(websocket);
    nothing_is_left([&owner, &other], &between).await;
}

#[tokio::test]
async fn a_session_that_is_closed_tells_its_client_through_the_other_gateway() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let mut websocket = moved(&owner, &other).await;
    websocket.send("4burst 1").await;
    websocket.send("4cut").await;
    assert_eq!(websocket.take(2).await, ["40", "close 4504"]);
    owner.seen.wait_for("closed abuse").await;
    drop(websocket);
    nothing_is_left([&owner, &other], &between).await;

    let mut websocket = moved(&owner, &other).await;
    websocket.send("4burst 1").await;
    websocket.send("4close").await;
    assert_eq!(websocket.next().await, "40");
    websocket.breaks().await;
    owner.seen.wait_for("closed drain").await;
    drop(websocket);
    nothing_is_left([&owner, &other], &between).await;
}

#[tokio::test]
async fn clients_move_away_from_a_gateway_that_only_passes_them_on() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let mut passed = moved(&owner, &other).await;
    let mut own = other.client().websocket(None).await;
    own.take(2).await;
    let leave = |number, most| between.inbound(number).leave(most);
    assert_eq!(leave(HERE, 10), Leaving { asked: 0, left: 0 });
    assert_eq!(leave(THERE, 0), Leaving { asked: 0, left: 1 });
    assert_eq!(leave(THERE, 10), Leaving { asked: 1, left: 0 });
    assert_eq!(leave(THERE, 10), Leaving { asked: 0, left: 0 });
    passed.breaks().await;
    owner.seen.wait_for("closed drain").await;
    own.send("4hello").await;
    assert_eq!(own.next().await, "4hello");
}

#[tokio::test]
async fn bytes_that_are_lost_between_gateways_are_sent_again() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let mut websocket = moved(&owner, &other).await;
    between.lose(1);
    websocket.send("4lost").await;
    eventually("the loss", || between.has_lost()).await;
    websocket.send("4more").await;
    assert_eq!(websocket.take(2).await, ["4lost", "4more"]);
    // Nothing follows these, by which the loss could be noticed.
    between.lose(1);
    websocket.send("4last").await;
    assert_eq!(websocket.next().await, "4last");
    drop(websocket);
    nothing_is_left([&owner, &other], &between).await;
    assert_eq!(between.count(THERE, |c| c.broken.get()), 0);
    assert!(between.count(THERE, |c| c.sent_again.get()) >= 2);
}

#[tokio::test]
async fn a_client_notices_nothing_of_a_way_that_is_away_for_a_while() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let mut websocket = moved(&owner, &other).await;
    for round in 0..3 {
        between.cut(HERE);
        for n in 0..100 {
            websocket.send(&format!("4{round} {n}")).await;
        }
        eventually("bytes that were lost twice", || between.lost_twice()).await;
        between.mend(HERE);
        let wanted: Vec<_> = (0..100).map(|n| format!("4{round} {n}")).collect();
        assert_eq!(websocket.take(100).await, wanted);
    }
    assert!(
        owner
            .seen
            .all()
            .iter()
            .all(|seen| !seen.starts_with("closed"))
    );
}

#[tokio::test]
async fn all_messages_arrive_in_order_over_a_way_that_loses_repeats_and_reorders() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let mut websocket = moved(&owner, &other).await;
    between.disturb(0.05);
    for n in 0..300 {
        websocket.send(&format!("4{n} {}", "x".repeat(n * 7))).await;
    }
    for n in 0..300 {
        assert_eq!(
            websocket.next().await,
            format!("4{n} {}", "x".repeat(n * 7))
        );
    }
    drop(websocket);
    owner.seen.wait_for("closed lost").await;
    nothing_is_left([&owner, &other], &between).await;
}

#[tokio::test]
async fn a_client_is_cut_soon_when_the_gateway_of_its_session_is_gone() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let mut websocket = moved(&owner, &other).await;
    let killed = Instant::now();
    between.kill(HERE);
    assert!(websocket.next().await.starts_with("end"));
    assert!(killed.elapsed() < Duration::from_secs(3));
    between.kill(THERE);
    owner.seen.wait_for("closed lost").await;
    nothing_is_left([&owner, &other], &between).await;
    assert_eq!(between.count(THERE, |c| c.broken.get()), 1);
}

#[tokio::test]
async fn a_client_is_cut_at_once_when_its_owner_has_said_goodbye() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let mut websocket = moved(&owner, &other).await;
    between.inbound(THERE).gone(HERE);
    assert!(websocket.next().await.starts_with("end"));
    owner.seen.wait_for("closed lost").await;
    nothing_is_left([&owner, &other], &between).await;
}

/// The client says nothing, so that nothing but the gateways' own words can bring it to light.
#[tokio::test]
async fn a_client_is_cut_when_its_session_ended_while_the_gateways_could_not_speak() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let mut websocket = moved(&owner, &other).await;
    between.cut(HERE);
    between.inbound(HERE).gone(THERE);
    owner.seen.wait_for("closed lost").await;
    eventually("the lost end", || {
        between.has_lost_any(|tell| matches!(tell, Tell::Reset { .. }))
    })
    .await;
    eventually("silence", || between.has_asked_in_vain(THERE)).await;
    between.mend(HERE);
    assert!(websocket.next().await.starts_with("end"));
    nothing_is_left([&owner, &other], &between).await;
}

#[tokio::test]
async fn a_session_ends_when_its_client_left_while_the_gateways_could_not_speak() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let websocket = moved(&owner, &other).await;
    between.cut(HERE);
    drop(websocket);
    eventually("the lost end", || {
        between.has_lost_any(|tell| matches!(tell, Tell::Fin { .. }))
    })
    .await;
    between.mend(HERE);
    owner.seen.wait_for("closed lost").await;
    nothing_is_left([&owner, &other], &between).await;
}

#[tokio::test]
async fn an_idle_tunnel_lives_as_long_as_its_client_answers() {
    let between = Between::new();
    let (owner, other) = pair(&brisk(), &between);
    let sid = owner.client().open().await;
    let mut websocket = other.client().probe(&sid).await;
    websocket.send("5").await;
    for _ in 0..ENOUGH_PINGS {
        assert_eq!(websocket.next().await, "2");
        websocket.send("3").await;
    }
    assert_eq!(websocket.next().await, "2");
    websocket.breaks().await;
    owner.seen.wait_for("closed heartbeat").await;
}

#[tokio::test]
async fn a_websocket_that_dies_before_the_upgrade_leaves_the_session_as_it_was() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    for _ in 0..3 {
        drop(other.client().probe(&sid).await);
        let counters = &owner.counters[0];
        eventually("the end of the probe", || counters.connections.get() == 0).await;
    }
    let poll = other.client().start_poll(&sid);
    other.client().say(&sid, "4hello").await;
    assert_eq!(poll.await.unwrap().packets(), ["4hello"]);
    let mut websocket = other.client().probe(&sid).await;
    websocket.send("5").await;
    websocket.send("4again").await;
    assert_eq!(websocket.next().await, "4again");
}

#[tokio::test]
async fn only_one_websocket_is_probed_at_a_time_whichever_gateway_it_reaches() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    let mut first = owner.client().probe(&sid).await;
    let mut second = other.client().websocket(Some(&sid)).await;
    assert_eq!(second.next().await, "close 1002");
    first.send("5").await;
    first.send("4hello").await;
    assert_eq!(first.next().await, "4hello");
}

#[tokio::test]
async fn a_client_goes_on_polling_where_there_are_too_many_tunnels() {
    let between = Between::with_tunnels(1);
    let (owner, other) = pair(&calm(), &between);
    let mut websocket = moved(&owner, &other).await;
    let sid = owner.client().open().await;
    assert_eq!(other.client().refused_probe(&sid).await, 503);
    assert_eq!(between.count(THERE, |c| c.full.get()), 1);
    other.client().say(&sid, "4hello").await;
    assert_eq!(other.client().poll(&sid).await.packets(), ["4hello"]);
    websocket.send("4still here").await;
    assert_eq!(websocket.next().await, "4still here");
    drop(websocket);
    eventually("room", || between.count(THERE, |c| c.tunnels.get()) == 0).await;
    eventually("room", || between.count(HERE, |c| c.tunnels.get()) == 0).await;
    other.client().probe(&sid).await;
}
