//! TLS by the gateway itself.

use std::{sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs::default_provider,
    version::{TLS12, TLS13},
};
use sluice_net::{Cause, Patience, tls::Certificate};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional_with_sizes},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Message,
        protocol::{CloseFrame, Role},
    },
};

use crate::support::{HANDSHAKE, Server, Setup, URL, ask, closing, masked};

/// A certificate, its key, and a client's view of it.
struct Pair {
    chain: String,
    key: String,
    roots: RootCertStore,
}

impl Pair {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        Self {
            chain: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            roots,
        }
    }

    fn certificate(&self) -> Certificate {
        Certificate::from_pem(self.chain.as_bytes(), self.key.as_bytes()).unwrap()
    }

    fn connector(&self, version: &'static SupportedProtocolVersion) -> TlsConnector {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        Arc::new(config).into()
    }
}

type Stream = TlsStream<TcpStream>;

async fn handshake(server: &Server, connector: &TlsConnector) -> std::io::Result<Stream> {
    let name = "localhost".try_into().unwrap();
    connector.connect(name, server.tcp().await).await
}

async fn client(server: &Server, connector: &TlsConnector) -> WebSocketStream<Stream> {
    let stream = handshake(server, connector).await.unwrap();
    client_async(URL, stream).await.unwrap().0
}

fn start(pair: &Pair) -> Server {
    Server::start(Setup {
        certificate: Some(pair.certificate()),
        ..Setup::default()
    })
}

async fn a_message_of_a_megabyte_is_echoed(version: &'static SupportedProtocolVersion) {
    let pair = Pair::new();
    let server = start(&pair);
    let mut client = client(&server, &pair.connector(version)).await;
    for len in [0, 1, 16_384, 16_385, 70_000, 1 << 20] {
        let bytes: Vec<u8> = (0..len).map(|i: u32| (i % 251) as u8).collect();
        let message = Message::binary(bytes);
        assert_eq!(ask(&mut client, message.clone()).await, message);
    }
    client.close(None).await.unwrap();
    closing(&mut client).await;
    drop(client);
    server.empties().await;
    assert_eq!(server.told(), [Cause::Client(1005)]);
}

#[tokio::test]
async fn messages_of_any_length_are_echoed_over_tls_1_3() {
    a_message_of_a_megabyte_is_echoed(&TLS13).await;
}

#[tokio::test]
async fn messages_of_any_length_are_echoed_over_tls_1_2() {
    a_message_of_a_megabyte_is_echoed(&TLS12).await;
}

#[tokio::test]
async fn new_keys_are_followed_in_the_middle_of_a_connection() {
    let pair = Pair::new();
    let server = start(&pair);
    let mut client = client(&server, &pair.connector(&TLS13)).await;
    for _ in 0..5 {
        let tls = client.get_mut().get_mut().1;
        tls.refresh_traffic_keys().unwrap();
        let message = Message::text("after new keys");
        assert_eq!(ask(&mut client, message.clone()).await, message);
    }
}

#[tokio::test]
async fn records_that_arrive_byte_by_byte_are_put_together() {
    let pair = Pair::new();
    let server = start(&pair);
    let mut client = client(&server, &pair.connector(&TLS13)).await;
    let mut record = Vec::new();
    let (tcp, tls) = client.get_mut().get_mut();
    let mut writer = tls.writer();
    std::io::Write::write_all(&mut writer, &masked(0x81, b"in pieces")).unwrap();
    tls.write_tls(&mut record).unwrap();
    for byte in record {
        tcp.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let echoed = client.next().await;
    assert_eq!(echoed.unwrap().unwrap(), Message::text("in pieces"));
}

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
async fn records_right_behind_the_websocket_handshake_are_all_read() {
    let pair = Pair::new();
    let server = start(&pair);
    let mut stream = handshake(&server, &pair.connector(&TLS13)).await.unwrap();
    let frames = (0..100u8).map(|i| masked(0x82, &[i; 600]));
    let bytes = HANDSHAKE.bytes().chain(frames.flatten());
    stream.write_all(&bytes.collect::<Vec<_>>()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let mut client = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    for i in 0..100 {
        let echo = client.next().await.unwrap().unwrap();
        assert_eq!(echo, Message::binary(vec![i; 600]));
    }
}

#[tokio::test]
async fn an_answer_over_tls_is_whole_when_the_session_ends() {
    let pair = Pair::new();
    let server = start(&pair);
    let mut stream = handshake(&server, &pair.connector(&TLS13)).await.unwrap();
    let request = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    // Without close_notify this would be an error.
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("hello"), "{answer}");
    server.empties().await;
    assert_eq!(server.counters.handshakes_failed.get(), 0);
}

#[tokio::test]
async fn several_answers_leave_in_one_write() {
    let pair = Pair::new();
    let server = start(&pair);
    let mut client = client(&server, &pair.connector(&TLS13)).await;
    ask(&mut client, Message::text("burst 20 10")).await;
    server.counts(|c| &c.frames_out, 20).await;
    server.counts(|c| &c.writes, 1).await;
}

#[tokio::test]
async fn messages_to_a_blocked_client_go_out_when_it_reads() {
    let pair = Pair::new();
    let mut setup = Setup {
        certificate: Some(pair.certificate()),
        ..Setup::default()
    };
    setup.options.max_outbound = 100 << 20;
    let server = Server::start(setup);
    let mut client = client(&server, &pair.connector(&TLS13)).await;
    client
        .send(Message::text("burst 300 100000"))
        .await
        .unwrap();
    server.counts(|c| &c.frames_out, 300).await;
    for _ in 0..300 {
        let message = client.next().await;
        assert_eq!(message.unwrap().unwrap().len(), 100_000);
    }
    server.counts(|c| &c.queued_bytes, 0).await;
}

#[tokio::test]
async fn a_stream_can_be_moved_to_another_runtime() {
    let pair = Pair::new();
    let server = start(&pair);
    let stream = handshake(&server, &pair.connector(&TLS13)).await.unwrap();
    let (mut client, _) = client_async("ws://localhost/moved", stream).await.unwrap();
    let message = Message::text("still here");
    assert_eq!(ask(&mut client, message.clone()).await, message);
}

#[tokio::test]
async fn the_end_of_a_session_is_announced() {
    let pair = Pair::new();
    let server = start(&pair);
    let mut client = client(&server, &pair.connector(&TLS13)).await;
    let closed = ask(&mut client, Message::text("close")).await;
    let drain = CloseFrame {
        code: 4000.into(),
        reason: "drain".into(),
    };
    assert_eq!(closed, Message::Close(Some(drain)));
    // Without close_notify this would be an error.
    assert_eq!(client.get_mut().read(&mut [0; 16]).await.unwrap(), 0);
    drop(client);
    server.empties().await;
}

#[tokio::test]
async fn a_client_that_announces_its_end_is_lost() {
    let pair = Pair::new();
    let server = start(&pair);
    let mut client = client(&server, &pair.connector(&TLS13)).await;
    client.get_mut().shutdown().await.unwrap();
    server.empties().await;
    assert_eq!(server.told(), [Cause::Lost]);
}

#[tokio::test]
async fn a_record_that_was_tampered_with_ends_the_connection() {
    let pair = Pair::new();
    let server = start(&pair);
    let mut client = client(&server, &pair.connector(&TLS13)).await;
    let tcp = client.get_mut().get_mut().0;
    tcp.write_all(&[&[23, 3, 3, 0, 40][..], &[9; 40]].concat())
        .await
        .unwrap();
    server.empties().await;
    assert_eq!(server.told(), [Cause::Lost]);
    let alert = client.get_mut().read(&mut [0; 16]).await.unwrap_err();
    assert!(alert.to_string().contains("BadRecordMac"), "{alert}");
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
