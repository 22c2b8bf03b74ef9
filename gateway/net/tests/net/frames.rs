//! What a connection takes in, and how it refuses what it does not.

use futures_util::{SinkExt, StreamExt};
use sluice_net::Cause;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::CloseFrame},
};

use crate::support::{HANDSHAKE, Server, Setup, ask, closing, masked, until};

async fn write(client: &mut WebSocketStream<TcpStream>, bytes: &[u8]) {
    client.get_mut().write_all(bytes).await.unwrap();
}

/// Sends bytes that a connection must not; returns the close code it answers with.
async fn refusal(bytes: &[u8]) -> u16 {
    let mut setup = Setup::default();
    setup.options.max_message = 1000;
    let server = Server::start(setup);
    let mut client = server.client().await;
    write(&mut client, bytes).await;
    let code = closing(&mut client).await.unwrap().code.into();
    until(|| server.told() == [Cause::Protocol(code)]).await;
    drop(client);
    server.empties().await;
    code
}

#[tokio::test]
async fn text_and_binary_are_echoed_in_order() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    for message in [Message::text("äöü"), Message::binary(vec![0, 255])] {
        assert_eq!(ask(&mut client, message.clone()).await, message);
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    let pong = ask(&mut client, Message::Ping("payload".into())).await;
    assert_eq!(pong, Message::Pong("payload".into()));
}

#[tokio::test]
async fn a_close_is_answered_with_its_code_and_ends_the_stream() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    let close = CloseFrame {
        code: 3001.into(),
        reason: "done".into(),
    };
    client.close(Some(close)).await.unwrap();
    let answer = closing(&mut client).await.unwrap();
    assert_eq!(u16::from(answer.code), 3001);
    assert_eq!(client.get_mut().read(&mut [0; 16]).await.unwrap(), 0);
    until(|| server.told() == [Cause::Client(3001)]).await;
    drop(client);
    server.empties().await;
}

#[tokio::test]
async fn what_follows_a_close_is_not_read() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    let bytes = [masked(0x88, &[]), masked(0x81, b"late")].concat();
    write(&mut client, &bytes).await;
    assert_eq!(closing(&mut client).await, None);
    assert_eq!(server.counters.frames_out.get(), 0);
}

#[tokio::test]
async fn an_unmasked_frame_is_refused() {
    assert_eq!(refusal(&[0x81, 1, b'a']).await, 1002);
}

#[tokio::test]
async fn an_unknown_opcode_is_refused() {
    assert_eq!(refusal(&masked(0x83, b"")).await, 1002);
}

#[tokio::test]
async fn a_continuation_of_nothing_is_refused() {
    assert_eq!(refusal(&masked(0x80, b"a")).await, 1002);
}

#[tokio::test]
async fn a_fragmented_ping_is_refused() {
    assert_eq!(refusal(&masked(0x09, b"a")).await, 1002);
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_refused() {
    assert_eq!(refusal(&masked(0x81, &[0xff])).await, 1007);
}

#[tokio::test]
async fn a_message_that_is_too_long_is_refused() {
    assert_eq!(refusal(&masked(0x82, &[0; 1001])).await, 1009);
}

#[tokio::test]
async fn fragments_that_are_too_long_together_are_refused() {
    let fragments = [masked(0x02, &[0; 600]), masked(0x80, &[0; 600])];
    assert_eq!(refusal(&fragments.concat()).await, 1009);
}

#[tokio::test]
async fn a_message_in_fragments_and_segments_is_joined() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    let frames = [
        masked(0x01, "grü".as_bytes()),
        masked(0x89, b"between"),
        masked(0x00, b"\xc3"),
        masked(0x80, b"\x9fe"),
    ];
    for byte in frames.concat() {
        write(&mut client, &[byte]).await;
        tokio::task::yield_now().await;
    }
    let pong = client.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong("between".into()));
    let echo = client.next().await.unwrap().unwrap();
    assert_eq!(echo, Message::text("grüße"));
}

#[tokio::test]
async fn several_messages_in_one_segment_are_all_read() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    let frames: Vec<_> = (0..100u8).map(|i| masked(0x82, &[i; 500])).collect();
    write(&mut client, &frames.concat()).await;
    for i in 0..100 {
        let echo = client.next().await.unwrap().unwrap();
        assert_eq!(echo, Message::binary(vec![i; 500]));
    }
}

#[tokio::test]
async fn bytes_right_behind_the_handshake_are_read() {
    let server = Server::start(Setup::default());
    let mut tcp = server.tcp().await;
    let bytes = [HANDSHAKE.as_bytes(), &masked(0x81, b"early")].concat();
    tcp.write_all(&bytes).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\x81\x05early") {
        assert_ne!(tcp.read_buf(&mut answer).await.unwrap(), 0);
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
}

#[tokio::test]
async fn a_close_by_the_server_says_why() {
    let server = Server::start(Setup::default());
    let mut client = server.client().await;
    client.send(Message::text("close")).await.unwrap();
    let frame = closing(&mut client).await.unwrap();
    assert_eq!(
        (u16::from(frame.code), frame.reason.as_str()),
        (4000, "drain")
    );
    until(|| server.told() == [Cause::Drain]).await;
}
