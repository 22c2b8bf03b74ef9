//! An Engine.IO client, step by step.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, task::JoinHandle};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message},
};

use super::http::{self, Response, request};

/// How long a message may take; far longer than any should.
const PATIENCE: Duration = Duration::from_secs(40);

#[derive(Debug, Clone, Copy)]
pub struct Client {
    pub address: SocketAddr,
}

impl Client {
    pub fn target(sid: &str) -> String {
        format!("/engine.io/?EIO=4&transport=polling&sid={sid}")
    }

    pub async fn request(&self, method: &str, target: &str, body: &[u8]) -> Response {
        request(self.address, method, target, &[], body).await
    }

    /// Opens a polling session and takes its first message.
    pub async fn open(&self) -> String {
        let opened = self
            .request("GET", "/engine.io/?EIO=4&transport=polling", b"")
            .await;
        assert_eq!((opened.status, &opened.body[..1]), (200, "0"));
        let handshake: serde_json::Value = serde_json::from_str(&opened.body[1..]).unwrap();
        let sid = handshake["sid"].as_str().unwrap().to_owned();
        match self.poll(&sid).await.packets()[..] {
            ["4welcome"] => {}
            // A brisk server may have asked by then whether the client lives.
            ["4welcome", "2"] => self.say(&sid, "3").await,
            ref other => panic!("a welcome was due: {other:?}"),
        }
        sid
    }

    pub async fn poll(&self, sid: &str) -> Response {
        self.request("GET", &Self::target(sid), b"").await
    }

    /// A poll that goes on while the test does.
    pub fn start_poll(&self, sid: &str) -> JoinHandle<Response> {
        let (client, sid) = (*self, sid.to_owned());
        tokio::spawn(async move { client.poll(&sid).await })
    }

    pub async fn post(&self, sid: &str, body: impl AsRef<[u8]>) -> Response {
        self.request("POST", &Self::target(sid), body.as_ref())
            .await
    }

    pub async fn say(&self, sid: &str, body: &str) {
        let answer = self.post(sid, body).await;
        assert_eq!((answer.status, &*answer.body), (200, "ok"));
    }

    /// Polls until so many packets came.
    pub async fn collect(&self, sid: &str, count: usize) -> Vec<String> {
        let mut packets = Vec::new();
        while packets.len() < count {
            packets.extend(
                self.poll(sid)
                    .await
                    .packets()
                    .into_iter()
                    .map(str::to_owned),
            );
        }
        packets
    }

    /// Part of a request, whose connection the test may close.
    pub async fn part(&self, method: &str, sid: &str, length: usize, body: &[u8]) -> TcpStream {
        let length = length.to_string();
        let headers = [("content-length", length.as_str())];
        http::begin(self.address, method, &Self::target(sid), &headers, body).await
    }

    pub async fn websocket(&self, sid: Option<&str>) -> WebSocket {
        let sid = sid.map(|sid| format!("&sid={sid}")).unwrap_or_default();
        let url = format!(
            "ws://{}/engine.io/?EIO=4&transport=websocket{sid}",
            self.address
        );
        let stream = TcpStream::connect(self.address).await.unwrap();
        WebSocket(client_async(url, stream).await.unwrap().0)
    }

    /// The status with which a WebSocket for the session is refused.
    pub async fn refused_probe(&self, sid: &str) -> u16 {
        let url = format!(
            "ws://{}/engine.io/?EIO=4&transport=websocket&sid={sid}",
            self.address
        );
        let stream = TcpStream::connect(self.address).await.unwrap();
        match client_async(url, stream).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            other => panic!("the WebSocket should be refused: {other:?}"),
        }
    }

    /// A WebSocket whose probe was answered.
    pub async fn probe(&self, sid: &str) -> WebSocket {
        let mut websocket = self.websocket(Some(sid)).await;
        websocket.send("2probe").await;
        assert_eq!(websocket.next().await, "3probe");
        websocket
    }
}

pub struct WebSocket(pub WebSocketStream<TcpStream>);

impl WebSocket {
    pub async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// The next message; a close as its code.
    pub async fn next(&mut self) -> String {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
        match next.expect("a message, or the end") {
            Some(Ok(Message::Text(text))) => text.to_string(),
            Some(Ok(Message::Binary(bytes))) => format!("binary {bytes:?}"),
            Some(Ok(Message::Close(Some(frame)))) => format!("close {}", u16::from(frame.code)),
            other => format!("end {other:?}"),
        }
    }

    /// The connection ends without a close frame.
    pub async fn breaks(&mut self) {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await;
        let next = next.expect("the end");
        assert!(matches!(next, None | Some(Err(_))), "{next:?}");
    }

    pub async fn take(&mut self, count: usize) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(self.next().await);
        }
        all
    }
}
