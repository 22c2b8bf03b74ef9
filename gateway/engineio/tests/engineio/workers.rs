//! Requests that reach another worker than the session's.

use crate::support::{Server, calm, eventually, give_up};

#[tokio::test]
async fn polls_and_posts_find_their_session_wherever_they_arrive() {
    let server = Server::with_workers(2, &calm());
    let (here, there) = (server.client_of(0), server.client_of(1));
    let sid = here.open().await;
    let poll = there.start_poll(&sid);
    there.say(&sid, "4hello").await;
    assert_eq!(poll.await.unwrap().packets(), ["4hello"]);
    there.say(&sid, "4burst 2").await;
    assert_eq!(here.collect(&sid, 2).await, ["40", "41"]);
    assert_eq!(server.counters[0].bytes_in.get(), 14);
    assert_eq!(server.counters[1].bytes_in.get(), 0);
}

#[tokio::test]
async fn a_websocket_is_carried_to_its_session() {
    let server = Server::with_workers(2, &calm());
    let sid = server.client_of(0).open().await;
    server.client_of(0).say(&sid, "4burst 50").await;
    let mut websocket = server.client_of(1).probe(&sid).await;
    websocket.send("5").await;
    websocket.send("4last").await;
    let wanted: Vec<_> = (0..50)
        .map(|n| format!("4{n}"))
        .chain(["4last".into()])
        .collect();
    assert_eq!(websocket.take(51).await, wanted);
    let connections = |worker: usize| server.counters[worker].connections.get();
    assert_eq!((connections(0), connections(1)), (1, 0));
    drop(websocket);
    server.seen.wait_for("closed lost").await;
    let sockets = || {
        server
            .counters
            .iter()
            .map(|counters| counters.sockets.get())
            .sum::<u64>()
    };
    eventually("no socket", || sockets() == 0).await;
}

#[tokio::test]
async fn a_poll_that_is_given_up_elsewhere_ends_the_session() {
    let server = Server::with_workers(2, &calm());
    let sid = server.client_of(0).open().await;
    give_up(&server, server.client_of(1), "GET", &sid, 0).await;
    assert_eq!(server.seen.all(), ["closed lost"]);
}

#[tokio::test]
async fn two_polls_at_two_workers_end_the_session() {
    let server = Server::with_workers(2, &calm());
    let sid = server.client_of(0).open().await;
    let polls = [0, 1].map(|worker| server.client_of(worker).start_poll(&sid));
    let mut statuses = Vec::new();
    for poll in polls {
        statuses.push(poll.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
    server.seen.wait_for("closed protocol").await;
}

#[tokio::test]
async fn two_posts_at_once_end_the_session_whichever_worker_they_reach() {
    for (first, second) in [(1, 1), (0, 1), (1, 0)] {
        let server = Server::with_workers(2, &calm());
        let sid = server.client_of(0).open().await;
        let other = server.client_of(0).open().await;
        let slow = server.client_of(first).part("POST", &sid, 10, b"4a").await;
        // It has begun by the time that another one, which took the same way after it, is done.
        server.client_of(first).say(&other, "4hello").await;
        let answer = server.client_of(second).post(&sid, "4b").await;
        assert_eq!(answer.status, 400, "{first} {second}");
        server.seen.wait_for("closed protocol").await;
        assert!(!server.seen.has("text b"));
        drop(slow);
    }
}

#[tokio::test]
async fn a_post_that_is_given_up_elsewhere_ends_the_session() {
    let server = Server::with_workers(2, &calm());
    let sid = server.client_of(0).open().await;
    give_up(&server, server.client_of(1), "POST", &sid, 10).await;
    assert_eq!(server.seen.all().len(), 1);
}

#[tokio::test]
async fn bounds_hold_wherever_a_body_arrives() {
    let config = sluice_engineio::Config {
        max_payload: 100,
        ..calm()
    };
    let server = Server::with_workers(2, &config);
    let sid = server.client_of(0).open().await;
    assert_eq!(
        server.client_of(1).post(&sid, "4".repeat(101)).await.status,
        413
    );
    assert_eq!(server.client_of(1).post(&sid, "abc").await.status, 400);
    server.seen.wait_for("closed protocol").await;
}

#[tokio::test]
async fn a_session_that_is_gone_is_unknown_everywhere() {
    let server = Server::with_workers(2, &calm());
    let sid = server.client_of(0).open().await;
    server.client_of(0).say(&sid, "1").await;
    server.seen.wait_for("closed client").await;
    for worker in [0, 1] {
        let client = server.client_of(worker);
        assert_eq!(client.poll(&sid).await.status, 400);
        assert_eq!(client.post(&sid, "4a").await.status, 400);
    }
    let mut websocket = server.client_of(1).websocket(Some(&sid)).await;
    assert_eq!(websocket.next().await, "close 1002");
}

#[tokio::test]
async fn a_sid_of_a_worker_that_is_not_there_is_unknown() {
    let server = Server::with_workers(2, &calm());
    let alone = Server::start(&calm());
    let sid = server.client_of(1).open().await;
    assert_eq!(alone.client().poll(&sid).await.status, 400);
    assert_eq!(alone.client().post(&sid, "4a").await.status, 400);
}
