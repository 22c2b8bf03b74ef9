//! A client of the plain protocol.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::gateway::Gateway;

pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    last: u64,
}

impl Client {
    pub(crate) async fn enter(gateway: &Gateway) -> Self {
        let url = format!("ws://{}/ws", gateway.clients());
        let (socket, _) = connect_async(url).await.unwrap();
        let mut client = Self { socket, last: 0 };
        client.must(json!({"op": "connect"})).await;
        client
    }

    /// Sends a request.
    pub(crate) async fn send(&mut self, mut request: Value) {
        self.last += 1;
        request["id"] = self.last.into();
        let text = Message::text(request.to_string());
        self.socket.send(text).await.unwrap();
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(&mut self, request: Value) -> Value {
        self.send(request).await;
        loop {
            let frame = self.socket.next().await.unwrap().unwrap();
            let frame: Value = serde_json::from_str(frame.to_text().unwrap()).unwrap();
            if frame["id"] == self.last {
                return frame;
            }
        }
    }

    /// As [`Self::ask`], where the answer must be good.
    pub(crate) async fn must(&mut self, request: Value) -> Value {
        let answer = self.ask(request).await;
        assert_eq!(answer["ok"], true, "{answer}");
        answer
    }
}
