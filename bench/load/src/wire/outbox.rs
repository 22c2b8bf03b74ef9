//! What a connection still has to write, and how each packet is written in its dialect.

use super::centrifugo;
use super::dialect::Dialect;
use super::frame::{self, Opcode};

/// Bytes that wait for the connection's next write.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) bytes: Vec<u8>,
    dialect: Dialect,
    /// One key for the connection's life. RFC 6455 wants a new one a frame, against caches in
    /// between; on loopback there are none, and a server's work does not depend on it.
    mask: [u8; 4],
    /// The number of the next request.
    requests: u32,
}

impl Outbox {
    /// An outbox whose first bytes are `request`, the HTTP upgrade.
    pub(crate) fn new(request: &[u8], dialect: Dialect) -> Self {
        Self {
            bytes: request.to_vec(),
            dialect,
            mask: rand::random(),
            requests: 0,
        }
    }

    /// Connects: in Socket.IO to the main namespace.
    pub(crate) fn connect(&mut self, token: Option<&str>) {
        match (self.dialect, token) {
            (Dialect::SocketIo, Some(token)) => {
                self.text(&[br#"40{"token":""#, token.as_bytes(), br#""}"#]);
            }
            (Dialect::SocketIo, None) => self.text(&[b"40"]),
            (Dialect::Centrifugo, Some(token)) => {
                let [start, end] = centrifugo::CONNECT;
                self.text(&[start, token.as_bytes(), end]);
            }
            (Dialect::Centrifugo, None) => self.text(&[centrifugo::CONNECT_ANONYMOUS]),
        }
    }

    /// Joins `room`, with an acknowledgement asked for.
    pub(crate) fn join(&mut self, room: &str) {
        let id = self.next_id();
        let [before, after, end]: [&[u8]; 3] = match self.dialect {
            Dialect::SocketIo => [b"42", br#"["join",""#, br#""]"#],
            Dialect::Centrifugo => [br#"{"id":"#, br#","subscribe":{"channel":""#, br#""}}"#],
        };
        self.text(&[before, id.as_bytes(), after, room.as_bytes(), end]);
    }

    /// Publishes `data`, which is JSON, to `room` (in Socket.IO as a `message`), with an
    /// acknowledgement asked for.
    pub(crate) fn publish(&mut self, room: &str, data: &[u8]) {
        let id = self.next_id();
        let [before, after, then, end]: [&[u8]; 4] = match self.dialect {
            Dialect::SocketIo => [b"42", br#"["publish",""#, br#"","message","#, b"]"],
            Dialect::Centrifugo => [
                br#"{"id":"#,
                br#","publish":{"channel":""#,
                br#"","data":"#,
                b"}}",
            ],
        };
        self.text(&[
            before,
            id.as_bytes(),
            after,
            room.as_bytes(),
            then,
            data,
            end,
        ]);
    }

    /// Answers the server's heartbeat.
    pub(crate) fn pong(&mut self) {
        match self.dialect {
            Dialect::SocketIo => self.text(&[b"3"]),
            Dialect::Centrifugo => self.text(&[b"{}"]),
        }
    }

    /// The answer to a WebSocket ping.
    pub(crate) fn websocket_pong(&mut self, payload: &[u8]) {
        frame::append(&mut self.bytes, Opcode::Pong, self.mask, &[payload]);
    }

    fn text(&mut self, parts: &[&[u8]]) {
        frame::append(&mut self.bytes, Opcode::Text, self.mask, parts);
    }

    /// Centrifugo takes no 0, and 1 is its connect command.
    fn next_id(&mut self) -> String {
        let first = match self.dialect {
            Dialect::SocketIo => 0,
            Dialect::Centrifugo => 2,
        };
        let id = self.requests.max(first);
        self.requests = id.wrapping_add(1);
        id.to_string()
    }
}

#[cfg(test)]
impl Outbox {
    /// An empty one whose masks change nothing, so that a test can read what is written.
    pub(crate) fn unmasked() -> Self {
        Self {
            bytes: Vec::new(),
            dialect: Dialect::SocketIo,
            mask: [0; 4],
            requests: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(dialect: Dialect, write: impl FnOnce(&mut Outbox)) -> String {
        let mut outbox = Outbox {
            dialect,
            requests: 7,
            ..Outbox::unmasked()
        };
        write(&mut outbox);
        String::from_utf8(outbox.bytes[6..].to_vec()).unwrap()
    }

    #[test]
    fn packets_are_written_as_socket_io_has_them() {
        let written = |write: fn(&mut Outbox)| written(Dialect::SocketIo, write);
        assert_eq!(
            written(|outbox| outbox.connect(Some("t"))),
            r#"40{"token":"t"}"#
        );
        assert_eq!(written(|outbox| outbox.connect(None)), "40");
        assert_eq!(written(|outbox| outbox.join("r")), r#"427["join","r"]"#);
        assert_eq!(
            written(|outbox| outbox.publish("r", b"\"d\"")),
            r#"427["publish","r","message","d"]"#
        );
        assert_eq!(written(Outbox::pong), "3");
    }

    #[test]
    fn packets_are_written_as_centrifugo_has_them() {
        let written = |write: fn(&mut Outbox)| written(Dialect::Centrifugo, write);
        assert_eq!(
            written(|outbox| outbox.connect(Some("t"))),
            r#"{"id":1,"connect":{"token":"t"}}"#
        );
        assert_eq!(
            written(|outbox| outbox.join("r")),
            r#"{"id":7,"subscribe":{"channel":"r"}}"#
        );
        assert_eq!(
            written(|outbox| outbox.publish("r", b"\"d\"")),
            r#"{"id":7,"publish":{"channel":"r","data":"d"}}"#
        );
        assert_eq!(written(Outbox::pong), "{}");
    }

    #[test]
    fn the_first_request_to_centrifugo_is_not_numbered_as_its_connect() {
        let mut outbox = Outbox {
            dialect: Dialect::Centrifugo,
            ..Outbox::unmasked()
        };
        assert_eq!(outbox.next_id(), "2");
    }
}
