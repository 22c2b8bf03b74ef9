//! Connections over TLS by the gateway itself.

use futures_util::{SinkExt, StreamExt};
use rustls::{
    SupportedProtocolVersion,
    version::{TLS12, TLS13},
};
use sluice_net::Cause;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Message,
        protocol::{CloseFrame, Role},
    },
};

use crate::support::{
    HANDSHAKE, Server, Setup, ask, closing, masked,
    tls::{Pair, client, handshake, start},
};

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
