//! What a connection is owed, and what becomes of it when the client does not read.

use futures_util::{SinkExt, StreamExt};
use sluice_net::Cause;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Server, Setup, closing, until};

#[tokio::test]
async fn frames_of_one_tick_leave_in_one_write() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    client.send(Message::text("burst 1000 20")).await.unwrap();
    for _ in 0..1000 {
        let message = client.next().await.unwrap().unwrap();
        assert_eq!(message.len(), 20);
    }
    assert_eq!(server.counters.frames_out.get(), 1000);
    server.counts(|c| &c.writes, 1).await;
}

#[tokio::test]
async fn messages_to_a_blocked_client_go_out_when_it_reads() {
    let mut setup = Setup::default();
    setup.options.max_outbound = 100 << 20;
    let server = Server::start(setup);
    let mut client = server.client().await;
    client
        .send(Message::text("burst 300 100000"))
        .await
        .unwrap();
    server.counts(|c| &c.frames_out, 300).await;
    assert!(server.counters.queued_bytes.get() > 0);
    // A connection that is blocked still reads, and what it is owed then waits its turn.
    client.send(Message::text("last")).await.unwrap();
    for _ in 0..300 {
        let message = client.next().await.unwrap().unwrap();
        assert_eq!(message.len(), 100_000);
    }
    let last = client.next().await.unwrap().unwrap();
    assert_eq!(last, Message::text("last"));
    server.counts(|c| &c.queued_bytes, 0).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed_and_its_memory_given_back() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    while server.counters.slow_consumers.get() == 0 {
        client.send(Message::text("burst 10 100000")).await.unwrap();
    }
    let limit = 4 << 20;
    assert!(server.counters.queued_bytes.get() <= limit);
    until(|| server.told() == [Cause::SlowConsumer]).await;
    assert!(server.counters.dropped.get() > 0);
    // What was cut is gone; a message under way is whole, and then comes the reason.
    let frame = closing(&mut client).await.unwrap();
    assert_eq!(u16::from(frame.code), 4001);
    drop(client);
    server.empties().await;
}

#[tokio::test]
async fn a_client_that_never_reads_again_leaves_nothing_behind() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    while server.counters.slow_consumers.get() == 0 {
        client.send(Message::text("burst 10 100000")).await.unwrap();
    }
    until(|| server.told() == [Cause::SlowConsumer]).await;
    // The client keeps its end open and does not read: the server waits a while, then forgets it.
    server.empties().await;
}

#[tokio::test]
async fn a_message_longer_than_the_bound_goes_to_a_client_that_is_owed_nothing() {
    let mut setup = Setup::default();
    setup.options.max_outbound = 10;
    let server = Server::start(setup);
    let mut client = server.client().await;
    client.send(Message::text("burst 1 100000")).await.unwrap();
    let message = client.next().await.unwrap().unwrap();
    assert_eq!(message.len(), 100_000);
    assert_eq!(server.counters.slow_consumers.get(), 0);
}

#[tokio::test]
async fn what_comes_behind_a_message_longer_than_the_bound_does_not_end_the_connection() {
    let mut setup = Setup::default();
    setup.options.max_outbound = 10;
    let server = Server::start(setup);
    let mut client = server.client().await;
    // More than the socket takes: most of it waits, and a part of it is written.
    client
        .send(Message::text("burst 1 15000000"))
        .await
        .unwrap();
    server.counts(|c| &c.frames_out, 1).await;
    client.send(Message::text("burst 1 5")).await.unwrap();
    server.counts(|c| &c.frames_out, 2).await;
    for length in [15_000_000, 5] {
        assert_eq!(client.next().await.unwrap().unwrap().len(), length);
    }
    assert_eq!(server.counters.slow_consumers.get(), 0);
}

#[tokio::test]
async fn what_waits_for_room_comes_as_the_client_reads_and_others_do_not_wait_behind_it() {
    let mut setup = Setup::default();
    setup.options.max_outbound = 200_000;
    let server = Server::start(setup);
    let mut client = server.client().await;
    for _ in 0..2 {
        let pour = Message::text("pour 1500 10000");
        client.send(pour).await.unwrap();
    }
    client.send(Message::text("now")).await.unwrap();
    let (mut poured, mut before_text) = (0, None);
    while poured < 3_000 {
        let message = client.next().await.unwrap().unwrap();
        assert!(server.counters.queued_bytes.get() <= 80_000);
        if message.is_text() {
            before_text = Some(poured);
        } else {
            poured += 1;
        }
    }
    assert!(before_text.unwrap() < 2_900, "{before_text:?}");
    server.counts(|c| &c.queued_bytes, 0).await;
    assert_eq!(server.counters.slow_consumers.get(), 0);
}

#[tokio::test]
async fn who_waits_for_room_is_let_go_with_the_connection() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    client
        .send(Message::text("pour 100000000 10000"))
        .await
        .unwrap();
    client.next().await.unwrap().unwrap();
    client.send(Message::text("close")).await.unwrap();
    assert_eq!(u16::from(closing(&mut client).await.unwrap().code), 4000);
    drop(client);
    server.empties().await;
}

#[tokio::test]
async fn while_too_much_waits_for_all_only_who_has_much_waiting_makes_room() {
    let server = Server::start(Setup {
        max_queued: 2 << 20,
        ..Setup::default()
    });
    let (mut slow, mut fine) = (server.client().await, server.client().await);
    // Alone it may have more waiting than all together.
    slow.send(Message::text("burst 1 30000000")).await.unwrap();
    server.counts(|c| &c.frames_out, 1).await;
    fine.send(Message::text("hello")).await.unwrap();
    assert_eq!(fine.next().await.unwrap().unwrap(), Message::text("hello"));
    assert_eq!(server.counters.slow_consumers.get(), 0);
    slow.send(Message::text("burst 1 10")).await.unwrap();
    server.counts(|c| &c.slow_consumers, 1).await;
    fine.send(Message::text("hello")).await.unwrap();
    assert_eq!(fine.next().await.unwrap().unwrap(), Message::text("hello"));
}
