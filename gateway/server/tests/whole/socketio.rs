//! The least of a Socket.IO client: one namespace over a WebSocket.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::support::{Gateway, token};

pub(crate) struct SocketIo {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) connected: Value,
    last: u64,
    /// Events that came before an answer.
    events: VecDeque<String>,
}

impl SocketIo {
    pub(crate) async fn enter(gateway: &Gateway, user: &str) -> Self {
        Self::enter_with(gateway, user, json!({})).await
    }

    pub(crate) async fn enter_with(gateway: &Gateway, user: &str, more: Value) -> Self {
        let (mut client, answer) = Self::ask_in(gateway, user, more).await;
        let connected = answer.strip_prefix("40").expect(&answer);
        client.connected = serde_json::from_str(connected).unwrap();
        client
    }

    /// Why a client is refused the namespace: what its `connect_error` says.
    pub(crate) async fn refused(gateway: &Gateway, user: &str) -> Value {
        let (_, answer) = Self::ask_in(gateway, user, json!({})).await;
        let refused = answer.strip_prefix("44").expect(&answer);
        serde_json::from_str(refused).unwrap()
    }

    /// A connection that has asked for the first namespace, and the packet that answers it.
    async fn ask_in(gateway: &Gateway, user: &str, more: Value) -> (Self, String) {
        let mut client = Self::open(gateway).await;
        client.connect(user, more).await;
        let answer = client.text().await.unwrap();
        (client, answer)
    }

    /// A connection that has asked for nothing.
    pub(crate) async fn open(gateway: &Gateway) -> Self {
        let address = gateway.embedded.clients();
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = connect_async(url).await.unwrap();
        let mut client = Self {
            socket,
            connected: Value::Null,
            last: 0,
            events: VecDeque::new(),
        };
        assert!(client.text().await.unwrap().starts_with('0'));
        client
    }

    /// Asks for the first namespace.
    pub(crate) async fn connect(&mut self, user: &str, more: Value) {
        let mut auth = json!({"token": token(user, 600)});
        let fields = auth.as_object_mut().unwrap();
        if let Value::Object(more) = more {
            fields.extend(more);
        }
        self.send(&format!("40{auth}")).await;
    }

    pub(crate) async fn send(&mut self, text: &str) {
        let _ = self.socket.send(Message::text(text.to_owned())).await;
    }

    /// The next packet; none after the close.
    pub(crate) async fn text(&mut self) -> Option<String> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) if &*text == "2" => self.send("3").await,
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next attachment; packets before it are kept.
    pub(crate) async fn attachment(&mut self) -> Vec<u8> {
        loop {
            match self.socket.next().await.expect("an attachment").unwrap() {
                Message::Binary(bytes) => return bytes.to_vec(),
                Message::Text(text) if &*text == "2" => self.send("3").await,
                Message::Text(text) => self.events.push_back(text.to_string()),
                _ => {}
            }
        }
    }

    /// Emits an event and waits for its acknowledgement.
    pub(crate) async fn ask(&mut self, event: Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.send(&format!("42{id}{event}")).await;
        let prefix = format!("43{id}");
        loop {
            let text = self.text().await.expect("an answer before the close");
            if let Some(answer) = text.strip_prefix(&prefix) {
                return serde_json::from_str::<Value>(answer).unwrap()[0].take();
            }
            self.events.push_back(text);
        }
    }

    /// The arguments of the next event of that name.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        loop {
            let text = match self.events.pop_front() {
                Some(text) => text,
                None => self.text().await.expect("an event before the close"),
            };
            let args = text.strip_prefix("42").map(serde_json::from_str::<Value>);
            if let Some(Ok(args)) = args
                && args[0] == name
            {
                return args;
            }
        }
    }
}
