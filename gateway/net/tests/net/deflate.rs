//! permessage-deflate (RFC 7692), with a client of bare bytes.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{HANDSHAKE, Server, Setup, masked};

/// What a flush ends with, which is not sent (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

async fn open(server: &Server, extensions: &str) -> (TcpStream, String) {
    let mut tcp = server.tcp().await;
    let head = HANDSHAKE.trim_end();
    let request = format!("{head}\r\nSec-WebSocket-Extensions: {extensions}\r\n\r\n");
    tcp.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(tcp.read_u8().await.unwrap());
    }
    (tcp, String::from_utf8(head).unwrap())
}

fn compress(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 64);
    Compress::new(Compression::default(), false)
        .compress_vec(text.as_bytes(), &mut out, FlushCompress::Sync)
        .unwrap();
    assert!(out.ends_with(&TAIL));
    out.truncate(out.len() - TAIL.len());
    out
}

fn decompress(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(1 << 20);
    Decompress::new(false)
        .decompress_vec(&[bytes, &TAIL].concat(), &mut out, FlushDecompress::Sync)
        .unwrap();
    String::from_utf8(out).unwrap()
}

/// Reads one short or middling frame: its first byte and its payload.
async fn frame(tcp: &mut TcpStream) -> (u8, Vec<u8>) {
    let first = tcp.read_u8().await.unwrap();
    let len = match tcp.read_u8().await.unwrap() {
        126 => usize::from(tcp.read_u16().await.unwrap()),
        len => usize::from(len),
    };
    let mut payload = vec![0; len];
    tcp.read_exact(&mut payload).await.unwrap();
    (first, payload)
}

#[tokio::test]
async fn compressed_messages_go_both_ways() {
    let server = Server::start(Setup::default());
    let (mut tcp, head) = open(&server, "permessage-deflate; client_max_window_bits").await;
    assert!(head.contains("permessage-deflate"), "{head}");
    for round in 0..3 {
        let text = format!("round {round} ").repeat(500);
        let sent = masked(0xc1, &compress(&text));
        tcp.write_all(&sent).await.unwrap();
        let (first, payload) = frame(&mut tcp).await;
        assert_eq!(first, 0xc1, "compressed text");
        assert!(payload.len() < text.len() / 10);
        assert_eq!(decompress(&payload), text);
    }
}

#[tokio::test]
async fn a_short_message_goes_as_it_is() {
    let server = Server::start(Setup::default());
    let (mut tcp, _) = open(&server, "permessage-deflate").await;
    tcp.write_all(&masked(0x81, b"short")).await.unwrap();
    assert_eq!(frame(&mut tcp).await, (0x81, b"short".to_vec()));
}

#[tokio::test]
async fn a_message_that_inflates_beyond_the_bound_is_refused() {
    let mut setup = Setup::default();
    setup.options.max_message = 10_000;
    let server = Server::start(setup);
    let (mut tcp, _) = open(&server, "permessage-deflate").await;
    let sent = masked(0xc1, &compress(&"a".repeat(1 << 20)));
    tcp.write_all(&sent).await.unwrap();
    let (first, payload) = frame(&mut tcp).await;
    assert_eq!((first, &payload[..2]), (0x88, &1009u16.to_be_bytes()[..]));
}

#[tokio::test]
async fn a_compressed_frame_that_was_not_agreed_on_is_refused() {
    let mut setup = Setup::default();
    setup.options.deflate = false;
    let server = Server::start(setup);
    let (mut tcp, head) = open(&server, "permessage-deflate").await;
    assert!(!head.contains("permessage-deflate"), "{head}");
    tcp.write_all(&masked(0xc1, &compress("a"))).await.unwrap();
    let (first, payload) = frame(&mut tcp).await;
    assert_eq!((first, &payload[..2]), (0x88, &1002u16.to_be_bytes()[..]));
}
