//! TLS handshakes, good ones and others.

use std::time::Duration;

use rustls::{
    HandshakeKind, SupportedProtocolVersion,
    version::{TLS12, TLS13},
};
use sluice_net::Patience;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional_with_sizes};
use tokio_tungstenite::{client_async, tungstenite::Message};

use crate::support::{
    Server, Setup, URL, ask,
    tls::{Pair, client, handshake, start},
};

async fn a_handshake_byte_by_byte_succeeds(version: &'static SupportedProtocolVersion) {
    let pair = Pair::new();
    let server = start(&pair);
    let (near, mut far) = tokio::io::duplex(1);
    let mut tcp = server.tcp().await;
    let pump = copy_bidirectional_with_sizes(&mut far, &mut tcp, 1, 1);
    let echo = async {
        let name = "localhost".try_into().unwrap();
        let stream = pair.connector(version).connect(name, near).await.unwrap();
        let (mut client, _) = client_async(URL, stream).await.unwrap();
        let message = Message::text("in small steps");
        assert_eq!(ask(&mut client, message.clone()).await, message);
    };
    tokio::select! {
        _ = pump => panic!("the server gave up"),
        () = echo => {}
    }
}

#[tokio::test]
async fn a_tls_1_3_handshake_may_come_byte_by_byte() {
    a_handshake_byte_by_byte_succeeds(&TLS13).await;
}

#[tokio::test]
async fn a_tls_1_2_handshake_may_come_byte_by_byte() {
    a_handshake_byte_by_byte_succeeds(&TLS12).await;
}

#[tokio::test]
async fn a_client_that_comes_back_resumes_its_session() {
    let pair = Pair::new();
    let server = start(&pair);
    let connector = pair.connector(&TLS13);
    for expected in [HandshakeKind::Full, HandshakeKind::Resumed] {
        let mut client = client(&server, &connector).await;
        ask(&mut client, Message::text("the ticket is read with this")).await;
        let kind = client.get_ref().get_ref().1.handshake_kind();
        assert_eq!(kind, Some(expected));
    }
}

#[tokio::test]
async fn an_exchanged_certificate_is_for_new_connections() {
    let (old, new) = (Pair::new(), Pair::new());
    let certificate = old.certificate();
    let server = Server::start(Setup {
        certificate: Some(certificate.clone()),
        ..Setup::default()
    });
    let mut before = client(&server, &old.connector(&TLS13)).await;
    let (chain, key) = (new.chain.as_bytes(), new.key.as_bytes());
    certificate.exchange(chain, key).unwrap();
    assert!(certificate.exchange(chain, b"no key").is_err());
    assert!(certificate.exchange(chain, old.key.as_bytes()).is_err());
    let mut after = client(&server, &new.connector(&TLS13)).await;
    for client in [&mut before, &mut after] {
        let message = Message::text("served");
        assert_eq!(ask(client, message.clone()).await, message);
    }
    assert!(handshake(&server, &old.connector(&TLS13)).await.is_err());
    server.counts(|c| &c.handshakes_failed, 1).await;
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_cut() {
    let pair = Pair::new();
    let server = start(&pair);
    let mut tcp = server.tcp().await;
    tcp.write_all(b"GET /ws HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    // The end may come as a reset, since not all that was sent was read.
    let _ = tcp.read_to_end(&mut answer).await;
    server.counts(|c| &c.handshakes_failed, 1).await;
    server.empties().await;
    // An alert record, so that a client that speaks TLS badly learns why.
    assert_eq!(answer.first().copied().unwrap_or(21), 21);
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_cut() {
    let pair = Pair::new();
    let server = Server::start(Setup {
        certificate: Some(pair.certificate()),
        patience: Patience {
            tls: Duration::from_millis(20),
            ..Patience::default()
        },
        ..Setup::default()
    });
    let mut tcp = server.tcp().await;
    assert_eq!(tcp.read(&mut [0; 16]).await.unwrap(), 0);
    server.counts(|c| &c.handshakes_failed, 1).await;
    server.empties().await;
}

#[tokio::test]
async fn a_handshake_message_longer_than_any_is_refused() {
    let pair = Pair::new();
    let server = start(&pair);
    let mut tcp = server.tcp().await;
    // A client hello that says it has 16 MiB, in records of 16 KiB.
    let mut record = vec![22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff];
    record.resize(5 + 0x4000, 0);
    for _ in 0..16 {
        if tcp.write_all(&record).await.is_err() {
            break;
        }
        record[5..9].fill(0);
    }
    server.counts(|c| &c.handshakes_failed, 1).await;
    server.empties().await;
}
