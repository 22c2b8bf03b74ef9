//! A client of the plain protocol.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        Message, client::IntoClientRequest as _, http::HeaderValue,
        protocol::frame::coding::CloseCode,
    },
};

use crate::support::{Gateway, token};

pub(crate) struct Native {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pushes: VecDeque<Value>,
    last: u64,
}

impl Native {
    /// A connection that has not said who it is.
    pub(crate) async fn open(gateway: &Gateway) -> Self {
        Self::open_with(gateway, "", &[]).await
    }

    /// As [`Self::open`], with this query and these headers in the request.
    pub(crate) async fn open_with(
        gateway: &Gateway,
        query: &str,
        headers: &[(&'static str, &'static str)],
    ) -> Self {
        let url = format!("ws://{}/ws{query}", gateway.embedded.clients());
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            let value = HeaderValue::from_static(value);
            request.headers_mut().append(*name, value);
        }
        let (socket, _) = connect_async(request).await.unwrap();
        Self {
            socket,
            pushes: VecDeque::new(),
            last: 0,
        }
    }

    /// A connection of `user`, and the answer to its connect.
    pub(crate) async fn enter(gateway: &Gateway, user: &str) -> (Self, Value) {
        Self::enter_with(gateway, user, json!({})).await
    }

    /// As [`Self::enter`], with further fields in the connect.
    pub(crate) async fn enter_with(gateway: &Gateway, user: &str, more: Value) -> (Self, Value) {
        let mut client = Self::open(gateway).await;
        let mut connect = json!({"op": "connect", "token": token(user, 600)});
        let fields = connect.as_object_mut().unwrap();
        if let Value::Object(more) = more {
            fields.extend(more);
        }
        let answer = client.ask(connect).await;
        (client, answer)
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        let _ = self.socket.send(Message::text(text.into())).await;
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(&mut self, mut request: Value) -> Value {
        self.last += 1;
        request["id"] = self.last.into();
        self.send(request.to_string()).await;
        loop {
            let frame = self.frame().await.expect("an answer before the close");
            if frame["id"] == self.last {
                return frame;
            }
            self.pushes.push_back(frame);
        }
    }

    /// Waits until everything that was sent so far has been read.
    pub(crate) async fn pinged(&mut self) {
        let _ = self.socket.send(Message::Ping("read".into())).await;
        loop {
            match self.socket.next().await.unwrap().unwrap() {
                Message::Pong(payload) if payload == "read" => return,
                Message::Text(text) => {
                    let frame = serde_json::from_str(&text).unwrap();
                    self.pushes.push_back(frame);
                }
                _ => {}
            }
        }
    }

    /// The answer to a request that was sent with this id.
    pub(crate) async fn answer(&mut self, id: u64) -> Value {
        let at = self.pushes.iter().position(|frame| frame["id"] == id);
        if let Some(known) = at.and_then(|at| self.pushes.remove(at)) {
            return known;
        }
        loop {
            let frame = self.frame().await.expect("an answer before the close");
            if frame["id"] == id {
                return frame;
            }
            self.pushes.push_back(frame);
        }
    }

    /// As [`Self::ask`], where the answer must be good.
    pub(crate) async fn must(&mut self, request: Value) -> Value {
        let answer = self.ask(request.clone()).await;
        assert_eq!(answer["ok"], true, "{request}: {answer}");
        answer
    }

    pub(crate) async fn publish(&mut self, room: &str, data: u64) -> Value {
        self.must(json!({"op": "publish", "room": room, "event": "m", "data": data}))
            .await
    }

    /// The next pushed event of that name.
    pub(crate) async fn push(&mut self, event: &str) -> Value {
        let at = self.pushes.iter().position(|push| push["event"] == event);
        if let Some(known) = at.and_then(|at| self.pushes.remove(at)) {
            return known;
        }
        loop {
            let frame = self.frame().await.expect("an event before the close");
            if frame["event"] == event {
                return frame;
            }
            self.pushes.push_back(frame);
        }
    }

    /// The data of so many messages.
    pub(crate) async fn data(&mut self, count: usize) -> Vec<u64> {
        let mut data = Vec::new();
        while data.len() < count {
            data.push(self.push("m").await["data"].as_u64().unwrap());
        }
        data
    }

    /// The next frame; the close code where it is the close.
    pub(crate) async fn frame(&mut self) -> Result<Value, u16> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(1005, |frame| u16::from(frame.code)));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    /// Waits for the close; returns its code.
    pub(crate) async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.frame().await {
                return code;
            }
        }
    }

    /// Closes for good, as a client that is done.
    pub(crate) async fn leave(mut self) {
        let frame = tokio_tungstenite::tungstenite::protocol::CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        let _ = self.socket.close(Some(frame)).await;
        self.closed().await;
    }
}
