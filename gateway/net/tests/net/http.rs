//! Requests that are no WebSocket handshakes, or none at all.

use std::time::Duration;

use sluice_net::Patience;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Server, Setup, until};

/// Sends `bytes` and returns everything up to the end of the connection.
async fn answer(server: &Server, bytes: &[u8]) -> String {
    let mut tcp = server.tcp().await;
    tcp.write_all(bytes).await.unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.unwrap();
    answer
}

fn impatient() -> Server {
    Server::start(Setup {
        patience: Patience {
            head: Duration::from_millis(50),
            idle: Duration::from_millis(50),
            ..Patience::default()
        },
        ..Setup::default()
    })
}

#[tokio::test]
async fn requests_follow_each_other_on_one_connection() {
    let server = Server::start(Setup::default());
    let requests = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n\
        GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = answer(&server, requests).await;
    assert_eq!(answer.matches("hello").count(), 2);
    server.empties().await;
    assert_eq!(server.counters.handshakes_failed.get(), 0);
}

#[tokio::test]
async fn a_head_that_is_dribbled_is_cut() {
    let server = impatient();
    let mut tcp = server.tcp().await;
    let dribble = async {
        while tcp.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let cut = server.counts(|c| &c.handshakes_failed, 1);
    tokio::join!(dribble, cut);
    server.empties().await;
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_cut() {
    let server = impatient();
    let mut tcp = server.tcp().await;
    assert_eq!(tcp.read(&mut [0; 16]).await.unwrap(), 0);
    server.empties().await;
}

#[tokio::test]
async fn a_kept_alive_connection_that_falls_silent_is_cut() {
    let server = impatient();
    let answer = answer(&server, b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.ends_with("hello"), "{answer}");
    server.empties().await;
}

#[tokio::test]
async fn a_connection_between_requests_may_be_silent_for_longer_than_a_head_may_take() {
    let server = Server::start(Setup {
        patience: Patience {
            head: Duration::from_millis(50),
            ..Patience::default()
        },
        ..Setup::default()
    });
    let mut kept = server.tcp().await;
    let request = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut answer = [0; 512];
    kept.write_all(request).await.unwrap();
    assert!(kept.read(&mut answer).await.unwrap() > 0);
    // Another one that came later and says nothing is cut meanwhile.
    assert_eq!(server.tcp().await.read(&mut [0; 16]).await.unwrap(), 0);
    kept.write_all(request).await.unwrap();
    assert!(kept.read(&mut answer).await.unwrap() > 0);
    // The next head must not take that long.
    kept.write_all(b"GET").await.unwrap();
    assert_eq!(kept.read(&mut answer).await.unwrap(), 0);
    server.empties().await;
}

#[tokio::test]
async fn a_client_that_pipelines_and_never_reads_is_cut() {
    let server = Server::start(Setup {
        patience: Patience {
            write: Duration::from_millis(50),
            ..Patience::default()
        },
        ..Setup::default()
    });
    let mut tcp = server.tcp().await;
    let requests = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
    while tcp.write_all(&requests).await.is_ok() {}
    server.counts(|c| &c.handshakes_failed, 1).await;
    server.empties().await;
}

#[tokio::test]
async fn sockets_are_counted_by_address_until_they_are_websockets() {
    let server = Server::start(Setup {
        sockets_per_address: 2,
        ..Setup::default()
    });
    let (first, second) = (server.client().await, server.client().await);
    let idle = [server.tcp().await, server.tcp().await];
    server.counts(|c| &c.accepted, 4).await;
    let mut fifth = server.tcp().await;
    assert_eq!(fifth.read(&mut [0; 16]).await.unwrap(), 0);
    server.counts(|c| &c.refused, 1).await;
    drop(idle);
    server.counts(|c| &c.sockets, 2).await;
    drop((server.client().await, first, second));
    server.empties().await;
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let server = Server::start(Setup::default());
    // Much more than is read before the refusal.
    let long = "x".repeat(200 * 1024);
    let request = format!("GET /hello HTTP/1.1\r\nHost: a\r\nX-Long: {long}\r\n\r\n");
    let answer = answer(&server, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    server.counts(|c| &c.handshakes_failed, 1).await;
    server.empties().await;
}

#[tokio::test]
async fn garbage_is_a_bad_request() {
    let server = Server::start(Setup::default());
    let answer = answer(&server, b"\x00\x01 garbage\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    server.counts(|c| &c.handshakes_failed, 1).await;
    server.empties().await;
}

#[tokio::test]
async fn a_request_without_a_handshake_is_told_what_is_missing() {
    let server = Server::start(Setup::default());
    let answer = answer(
        &server,
        b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(answer.ends_with("Connection: Upgrade"), "{answer}");
}

#[tokio::test]
async fn a_full_worker_refuses_and_takes_others_when_there_is_room() {
    let server = Server::start(Setup {
        max_sockets: 1,
        ..Setup::default()
    });
    let first = server.client().await;
    let mut second = server.tcp().await;
    assert_eq!(second.read(&mut [0; 16]).await.unwrap(), 0);
    server.counts(|c| &c.refused, 1).await;
    assert_eq!(server.counters.accepted.get(), 1);
    drop(first);
    until(|| server.counters.sockets.get() == 0).await;
    drop(server.client().await);
    server.empties().await;
}
