//! Socket.IO clients, packet by packet.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// A client on a WebSocket.
pub struct Client(WebSocketStream<TcpStream>);

impl Client {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let mut client = Self(client_async(url, stream).await.unwrap().0);
        assert!(client.next().await.starts_with("0{"));
        client
    }

    /// Sends a Socket.IO packet.
    pub async fn send(&mut self, packet: &str) {
        self.0
            .send(Message::text(format!("4{packet}")))
            .await
            .unwrap();
    }

    pub async fn attach(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// The next Engine.IO packet; binary as its length, a close as its code.
    pub async fn next(&mut self) -> String {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => text.to_string(),
            Some(Ok(Message::Binary(bytes))) => format!("binary {:?}", &bytes[..]),
            Some(Ok(Message::Close(Some(frame)))) => format!("close {}", u16::from(frame.code)),
            other => format!("end {other:?}"),
        }
    }

    /// The next packet that is no ping; pings are answered.
    pub async fn beyond_pings(&mut self) -> String {
        loop {
            match self.next().await {
                ping if ping == "2" => self.0.send(Message::text("3")).await.unwrap(),
                other => return other,
            }
        }
    }

    pub async fn take(&mut self, count: usize) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.next().await);
        }
        all
    }

    /// Sends a packet and takes what comes next.
    pub async fn ask(&mut self, packet: &str) -> String {
        self.send(packet).await;
        self.next().await
    }
}

/// A client that polls.
pub struct Polling {
    address: SocketAddr,
    target: String,
}

impl Polling {
    pub async fn open(address: SocketAddr) -> Self {
        let mut client = Self {
            address,
            target: "/socket.io/?EIO=4&transport=polling".into(),
        };
        let opened = client.poll().await;
        let sid = opened.split('"').nth(3).unwrap();
        client.target = format!("{}&sid={sid}", client.target);
        client
    }

    pub async fn poll(&self) -> String {
        let (status, body) = self.request("GET", "").await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Posts packets of Engine.IO; returns the status.
    pub async fn post(&self, packets: &str) -> u16 {
        self.request("POST", packets).await.0
    }

    async fn request(&self, method: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "{method} {} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            self.target,
            body.len(),
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (
            head.split(' ').nth(1).unwrap().parse().unwrap(),
            body.to_owned(),
        )
    }
}
