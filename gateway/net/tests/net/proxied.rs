//! Clients behind a proxy that speaks the PROXY protocol.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Server, Setup};

const V1: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n";
const V1_UNKNOWN: &[u8] = b"PROXY UNKNOWN\r\n";
const V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb";
const V2_LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
const ASK: &[u8] = b"GET /who HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

fn server() -> Server {
    Server::start(Setup {
        proxied: true,
        sockets_per_address: 2,
        ..Setup::default()
    })
}

/// All that comes.
async fn read(mut socket: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn the_client_is_whom_the_proxy_names_however_the_header_is_cut() {
    let server = server();
    for header in [V1, V2] {
        let all = [header, ASK].concat();
        for cut in [
            0,
            1,
            11,
            12,
            16,
            header.len() - 1,
            header.len(),
            header.len() + 5,
        ] {
            let mut socket = server.tcp().await;
            socket.set_nodelay(true).unwrap();
            socket.write_all(&all[..cut]).await.unwrap();
            tokio::task::yield_now().await;
            socket.write_all(&all[cut..]).await.unwrap();
            let answer = read(socket).await;
            assert!(answer.ends_with("192.0.2.1:56324"), "{cut}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_proxy_that_speaks_for_itself_is_the_client() {
    let server = server();
    for header in [V1_UNKNOWN, V2_LOCAL] {
        let mut socket = server.tcp().await;
        let own = socket.local_addr().unwrap().to_string();
        socket.write_all(&[header, ASK].concat()).await.unwrap();
        assert!(read(socket).await.ends_with(&own));
    }
}

#[tokio::test]
async fn what_is_no_header_or_a_very_long_one_is_cut_off() {
    let server = server();
    let mut long = V2.to_vec();
    long[14..16].copy_from_slice(&[0xff, 0xff]);
    long.resize(8_000, 0);
    let bad_address = b"PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n".to_vec();
    for wrong in [ASK.to_vec(), long, bad_address, vec![b'P'; 200]] {
        let mut socket = server.tcp().await;
        let _ = socket.write_all(&wrong).await;
        assert_eq!(read(socket).await, "");
    }
    server.counts(|c| &c.handshakes_failed, 4).await;
    server.empties().await;
}

#[tokio::test]
async fn sockets_are_counted_by_the_address_that_the_proxy_names() {
    let server = server();
    let mut held = Vec::new();
    for last in [1, 1, 2, 2] {
        let mut socket = server.tcp().await;
        let header = format!("PROXY TCP4 192.0.2.{last} 198.51.100.1 1 2\r\n");
        socket.write_all(header.as_bytes()).await.unwrap();
        held.push(socket);
    }
    server.counts(|c| &c.accepted, 4).await;
    let mut fifth = server.tcp().await;
    fifth.write_all(V1).await.unwrap();
    assert_eq!(read(fifth).await, "");
    server.counts(|c| &c.refused, 1).await;
}
