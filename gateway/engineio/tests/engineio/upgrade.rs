//! From polling to a WebSocket.

use crate::support::{Client, ENOUGH_PINGS, Server, brisk, calm, eventually};

/// Polls until the server ends the poll so that the client can stop.
async fn finish_polling(client: &Client, sid: &str) -> Vec<String> {
    let mut packets = Vec::new();
    loop {
        let answer = client.poll(sid).await;
        match answer.packets()[..] {
            ["6"] => return packets,
            ref some => packets.extend(some.iter().map(|packet| (*packet).to_owned())),
        }
    }
}

#[tokio::test]
async fn what_waits_for_the_client_moves_with_it_in_order() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    client.say(&sid, "4burst 100").await;
    let mut websocket = client.probe(&sid).await;
    let mut got = finish_polling(&client, &sid).await;
    client.say(&sid, "4burst 100\x1ebAQI=").await;
    websocket.send("5").await;
    websocket.send("4burst 100").await;
    got.extend(websocket.take(201).await);
    let burst = || (0..100).map(|n| format!("4{n}"));
    let wanted: Vec<_> = burst()
        .chain(burst())
        .chain(["binary b\"\\x01\\x02\"".to_owned()])
        .chain(burst())
        .collect();
    assert_eq!(got, wanted);
    assert_eq!(client.poll(&sid).await.status, 400);
    assert_eq!(client.post(&sid, "4a").await.status, 400);
    assert_eq!(server.counters[0].connections.get(), 1);
    drop(websocket);
    server.seen.wait_for("closed lost").await;
}

#[tokio::test]
async fn what_waits_for_room_moves_with_the_client_too() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    client.say(&sid, "4pour 5000").await;
    let mut got = client.collect(&sid, 1_000).await;
    assert!(got.len() < 4_000);
    let mut websocket = client.probe(&sid).await;
    websocket.send("5").await;
    got.extend(websocket.take(5_000 - got.len()).await);
    let wanted: Vec<_> = (0..5_000).map(|n| format!("4{n}")).collect();
    assert_eq!(got, wanted);
}

#[tokio::test]
async fn a_poll_that_waits_ends_when_the_probe_is_answered() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let poll = client.start_poll(&sid);
    let mut websocket = client.probe(&sid).await;
    assert_eq!(poll.await.unwrap().packets(), ["6"]);
    websocket.send("5").await;
    websocket.send("4hello").await;
    assert_eq!(websocket.next().await, "4hello");
}

#[tokio::test]
async fn a_poll_ends_for_the_websocket_again_and_again_until_the_client_has_moved() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let mut websocket = client.probe(&sid).await;
    for _ in 0..3 {
        assert_eq!(client.poll(&sid).await.packets(), ["6"]);
    }
    websocket.send("5").await;
    websocket.send("4hello").await;
    assert_eq!(websocket.next().await, "4hello");
}

#[tokio::test]
async fn messages_flow_by_polling_until_the_client_has_moved() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let mut websocket = client.probe(&sid).await;
    client.say(&sid, "4hello").await;
    assert_eq!(client.poll(&sid).await.packets(), ["4hello"]);
    websocket.send("5").await;
    websocket.send("4there").await;
    assert_eq!(websocket.next().await, "4there");
}

#[tokio::test]
async fn a_websocket_that_dies_before_the_upgrade_leaves_the_session_as_it_was() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    for _ in 0..3 {
        let websocket = client.probe(&sid).await;
        drop(websocket);
        let counters = &server.counters[0];
        eventually("the end of the probe", || counters.connections.get() == 0).await;
    }
    let poll = client.start_poll(&sid);
    client.say(&sid, "4hello").await;
    assert_eq!(poll.await.unwrap().packets(), ["4hello"]);
    let mut websocket = client.probe(&sid).await;
    websocket.send("5").await;
    websocket.send("4again").await;
    assert_eq!(websocket.next().await, "4again");
}

#[tokio::test]
async fn only_one_websocket_is_probed_at_a_time() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let mut first = client.probe(&sid).await;
    let mut second = client.websocket(Some(&sid)).await;
    assert_eq!(second.next().await, "close 1002");
    first.send("5").await;
    first.send("4hello").await;
    assert_eq!(first.next().await, "4hello");
    let mut third = client.websocket(Some(&sid)).await;
    assert_eq!(third.next().await, "close 1002");
}

#[tokio::test]
async fn a_probe_that_comes_to_nothing_is_closed_in_time() {
    let server = Server::start(&brisk());
    let client = server.client();
    let sid = client.open().await;
    let mut silent = client.websocket(Some(&sid)).await;
    let beats = {
        let sid = sid.clone();
        tokio::spawn(async move {
            loop {
                if client.poll(&sid).await.packets().contains(&"2") {
                    client.say(&sid, "3").await;
                }
            }
        })
    };
    assert_eq!(silent.next().await, "close 4005");
    drop(silent);
    let mut answered = client.probe(&sid).await;
    assert_eq!(answered.next().await, "close 4005");
    beats.abort();
    assert!(!server.seen.has("closed connect_timeout"));
}

#[tokio::test]
async fn an_upgraded_session_is_not_ended_by_the_probes_timeout() {
    let server = Server::start(&brisk());
    let client = server.client();
    let sid = client.open().await;
    let mut websocket = client.probe(&sid).await;
    websocket.send("5").await;
    for _ in 0..ENOUGH_PINGS {
        assert_eq!(websocket.next().await, "2");
        websocket.send("3").await;
    }
    assert!(server.seen.all().is_empty());
}

#[tokio::test]
async fn a_probe_that_says_anything_else_is_closed() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    for wrong in ["2", "4hello", "abc", "1", ""] {
        let mut websocket = client.websocket(Some(&sid)).await;
        websocket.send(wrong).await;
        assert_eq!(websocket.next().await, "close 1002", "{wrong}");
    }
    let mut websocket = client.websocket(Some(&sid)).await;
    websocket.send_binary(b"2probe").await;
    assert_eq!(websocket.next().await, "close 1002");
    assert!(server.seen.all().is_empty());
}

#[tokio::test]
async fn a_request_that_breaks_after_the_upgrade_ends_the_session_and_its_websocket() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let mut websocket = client.probe(&sid).await;
    let request = client.part("POST", &sid, 10, b"4a").await;
    // It has begun by the time that other connections, accepted after its own, were served.
    client.open().await;
    websocket.send("5").await;
    websocket.send("4hello").await;
    assert_eq!(websocket.next().await, "4hello");
    drop(request);
    let ended = || {
        server
            .seen
            .all()
            .iter()
            .any(|seen| seen.starts_with("closed"))
    };
    eventually("the end of the session", ended).await;
    let end = websocket.next().await;
    assert!(end.starts_with("close") || end.starts_with("end"), "{end}");
    drop(websocket);
    eventually("no connection", || {
        server.counters[0].connections.get() == 0
    })
    .await;
}

#[tokio::test]
async fn the_probe_of_a_session_that_ends_is_closed() {
    let server = Server::start(&calm());
    let client = server.client();
    let sid = client.open().await;
    let mut websocket = client.probe(&sid).await;
    client.say(&sid, "1").await;
    assert!(websocket.next().await.starts_with("close"));
    server.seen.wait_for("closed client").await;
    drop(websocket);
    eventually("no connection", || {
        server.counters[0].connections.get() == 0
    })
    .await;
}
