//! Requests that reach another gateway than the session's.

use bytes::Bytes;
use sluice_codec::peer::{Answer, Ask, Refused, Tell};
use sluice_engineio::Config;

use crate::support::{Between, Server, calm, eventually, give_up};

const HERE: u32 = 1;
const THERE: u32 = 2;

/// Two gateways with a way between them. Sessions are opened at the first.
pub(crate) fn pair(config: &Config, between: &Between) -> (Server, Server) {
    let here = Server::joined(HERE, config, between);
    (here, Server::joined(THERE, config, between))
}

#[tokio::test]
async fn polls_and_posts_find_their_session_through_any_gateway() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    let poll = other.client().start_poll(&sid);
    other.client().say(&sid, "4hello").await;
    assert_eq!(poll.await.unwrap().packets(), ["4hello"]);
    other.client().say(&sid, "4burst 2").await;
    assert_eq!(owner.client().collect(&sid, 2).await, ["40", "41"]);
    assert_eq!(between.count(THERE, |counters| counters.polls.get()), 1);
    assert_eq!(between.count(THERE, |counters| counters.posts.get()), 2);
    assert_eq!(owner.counters[0].bytes_in.get(), 14);
    assert_eq!(other.counters[0].bytes_in.get(), 0);
}

#[tokio::test]
async fn many_messages_keep_their_order_over_both_gateways() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    let clients = [owner.client(), other.client()];
    let polls = {
        let sid = sid.clone();
        tokio::spawn(async move {
            let mut packets = Vec::new();
            for client in clients.iter().cycle() {
                packets.extend(client.collect(&sid, 1).await);
                if packets.len() >= 200 {
                    return packets;
                }
            }
            packets
        })
    };
    for n in 0..200 {
        clients[n % 2].say(&sid, &format!("4{n}")).await;
    }
    let wanted: Vec<_> = (0..200).map(|n| format!("4{n}")).collect();
    assert_eq!(polls.await.unwrap(), wanted);
}

#[tokio::test]
async fn what_is_longer_than_a_frame_goes_in_parts() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    let long: String = ('a'..='z').cycle().take(999_999).collect();
    let poll = other.client().start_poll(&sid);
    other.client().say(&sid, &format!("4{long}")).await;
    assert!(poll.await.unwrap().body == format!("4{long}"));
}

#[tokio::test]
async fn bounds_hold_whichever_gateway_a_body_reaches() {
    let between = Between::new();
    let small = Config {
        max_payload: 100,
        ..calm()
    };
    let owner = Server::joined(HERE, &small, &between);
    let other = Server::joined(THERE, &calm(), &between);
    let sid = owner.client().open().await;
    let long = "4".repeat(101);
    assert_eq!(other.client().post(&sid, long).await.status, 413);
    other.client().say(&sid, "4hello").await;
    assert_eq!(other.client().post(&sid, "abc").await.status, 400);
    owner.seen.wait_for("closed protocol").await;
}

#[tokio::test]
async fn two_polls_at_two_gateways_end_the_session() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    let polls = [&owner, &other].map(|server| server.client().start_poll(&sid));
    let mut statuses = Vec::new();
    for poll in polls {
        statuses.push(poll.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    owner.seen.wait_for("closed protocol").await;
}

#[tokio::test]
async fn a_poll_that_is_given_up_at_another_gateway_ends_the_session() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    give_up(&owner, other.client(), "GET", &sid, 0).await;
    assert_eq!(owner.seen.all(), ["closed lost"]);
}

#[tokio::test]
async fn an_answer_that_comes_after_its_client_has_gone_ends_the_session() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    owner.client().say(&sid, "4lost").await;
    // So the other gateway need not ask first with what the sid was made.
    other.client().say(&sid, "6").await;
    between.hold(true);
    let poll = other.client().part("GET", &sid, 0, b"").await;
    eventually("the answer", || between.held() == 1).await;
    drop(poll);
    owner.seen.wait_for("closed lost").await;
    between.hold(false);
    assert_eq!(owner.client().poll(&sid).await.status, 400);
}

#[tokio::test]
async fn a_poll_whose_owner_vanishes_is_answered_that_there_is_no_session() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    let poll = other.client().start_poll(&sid);
    eventually("the poll", || between.count(THERE, |c| c.polls.get()) == 1).await;
    between.cut(HERE);
    let answer = poll.await.unwrap();
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body, r#"{"code":1,"message":"Session ID unknown"}"#);
    assert_eq!(other.client().post(&sid, "4a").await.status, 400);
    assert_eq!(between.count(THERE, |c| c.unreachable.get()), 2);
}

#[tokio::test]
async fn a_session_that_is_not_there_is_unknown_at_every_gateway() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    owner.client().say(&sid, "1").await;
    owner.seen.wait_for("closed client").await;
    let nowhere = Server::joined(3, &calm(), &between).client().open().await;
    between.cut(3);
    for sid in [sid, nowhere] {
        let client = other.client();
        assert_eq!(client.poll(&sid).await.status, 400);
        assert_eq!(client.post(&sid, "4a").await.status, 400);
        assert_eq!(client.refused_probe(&sid).await, 400);
    }
    assert_eq!(between.count(THERE, |c| c.tunnels.get()), 0);
    assert_eq!(between.count(HERE, |c| c.tunnels.get()), 0);
}

#[tokio::test]
async fn a_sid_that_a_gateway_has_not_made_dies_where_it_arrives() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    for at in [8, 18, 27] {
        let mut forged = sid.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'E' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        let client = other.client();
        assert_eq!(client.poll(&forged).await.status, 400);
        assert_eq!(client.post(&forged, "4a").await.status, 400);
        assert_eq!(client.refused_probe(&forged).await, 400);
    }
    assert_eq!(between.count(THERE, |c| c.forged.get()), 9);
    assert_eq!(between.count(THERE, |c| c.polls.get() + c.posts.get()), 0);
    assert_eq!(between.asked("alive"), 1);
    other.client().say(&sid, "4hello").await;
    assert_eq!(other.client().poll(&sid).await.packets(), ["4hello"]);
}

/// As gateways of 0.1.0 are: they do not say what their sids are made with.
#[tokio::test]
async fn sids_of_a_gateway_without_a_key_are_passed_on() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    between.hide_key(HERE);
    let sid = owner.client().open().await;
    other.client().say(&sid, "4hello").await;
    assert_eq!(other.client().poll(&sid).await.packets(), ["4hello"]);
    let websocket = other.client().probe(&sid).await;
    drop(websocket);
    assert_eq!(between.count(THERE, |c| c.forged.get()), 0);
}

#[tokio::test]
async fn frames_that_mean_nothing_are_counted_and_harm_nobody() {
    let between = Between::new();
    let (owner, other) = pair(&calm(), &between);
    let sid = owner.client().open().await;
    let inbound = between.inbound(HERE);
    let frames = [
        &b""[..],
        b"x",
        b"\x01",
        b"\x02\x00",
        b"\x01\x09rest",
        b"\x01\x00short",
    ];
    for frame in frames.map(Bytes::from_static) {
        for kind in ["poll", "post", "probe", "part", "rest", "nonsense"] {
            let answer = inbound.call(THERE, kind, frame.clone()).await;
            assert_eq!(Answer::decode(answer), Ok(Answer::Refused(Refused::Bad)));
        }
        inbound.told(THERE, "abandoned", frame.clone());
        inbound.told(THERE, "tunnel", frame);
    }
    let rest = Ask::Rest { transfer: 1 }.encode();
    let refused = |refused| Ok(Answer::Refused(refused));
    let answer = inbound.call(THERE, "poll", rest.clone()).await;
    assert_eq!(Answer::decode(answer), refused(Refused::Bad));
    let answer = inbound.call(THERE, "rest", rest).await;
    assert_eq!(Answer::decode(answer), refused(Refused::Unknown));
    inbound.told(
        THERE,
        "tunnel",
        Tell::Fin {
            tunnel: 1,
            offset: 0,
        }
        .encode(),
    );
    inbound.told(THERE, "tunnel", Tell::Leave { tunnel: 1 }.encode());
    assert_eq!(between.count(HERE, |c| c.malformed.get()), 6 * 8 + 1);
    other.client().say(&sid, "4hello").await;
    assert_eq!(other.client().poll(&sid).await.packets(), ["4hello"]);
}

#[tokio::test]
async fn a_gateway_that_knows_no_others_knows_no_sessions_of_theirs() {
    let between = Between::new();
    let sid = Server::joined(HERE, &calm(), &between)
        .client()
        .open()
        .await;
    let alone = Server::start(&calm());
    assert_eq!(alone.client().poll(&sid).await.status, 400);
    assert_eq!(alone.client().post(&sid, "4a").await.status, 400);
    assert_eq!(alone.client().refused_probe(&sid).await, 400);
}
