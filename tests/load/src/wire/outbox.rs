//! What a connection still has to write, and how each packet of the dialect is written.

use super::frame::{self, Opcode};

/// Bytes that wait for the connection's next write.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) bytes: Vec<u8>,
    /// One key for the connection's life. RFC 6455 wants a new one a frame, against caches in
    /// between; on loopback there are none, and a server's work does not depend on it.
    mask: [u8; 4],
    acknowledgements: u32,
}

impl Outbox {
    /// An outbox whose first bytes are `request`, the HTTP upgrade.
    pub(crate) fn new(request: &[u8]) -> Self {
        Self {
            bytes: request.to_vec(),
            mask: rand::random(),
            acknowledgements: 0,
        }
    }

    /// Socket.IO CONNECT to the main namespace.
    pub(crate) fn connect(&mut self, token: Option<&str>) {
        match token {
            Some(token) => self.text(&[br#"40{"token":""#, token.as_bytes(), br#""}"#]),
            None => self.text(&[b"40"]),
        }
    }

    /// The `join` event, with an acknowledgement asked for.
    pub(crate) fn join(&mut self, room: &str) {
        let id = self.next_id();
        self.text(&[
            b"42",
            id.as_bytes(),
            br#"["join",""#,
            room.as_bytes(),
            br#""]"#,
        ]);
    }

    /// The `publish` event of a `message`, with an acknowledgement asked for. `data` is JSON.
    pub(crate) fn publish(&mut self, room: &str, data: &[u8]) {
        let id = self.next_id();
        let start = br#"["publish",""#;
        let parts: [&[u8]; 7] = [
            b"42",
            id.as_bytes(),
            start,
            room.as_bytes(),
            br#"","message","#,
            data,
            b"]",
        ];
        self.text(&parts);
    }

    /// Engine.IO `pong`.
    pub(crate) fn pong(&mut self) {
        self.text(&[b"3"]);
    }

    /// The answer to a WebSocket ping.
    pub(crate) fn websocket_pong(&mut self, payload: &[u8]) {
        frame::append(&mut self.bytes, Opcode::Pong, self.mask, &[payload]);
    }

    fn text(&mut self, parts: &[&[u8]]) {
        frame::append(&mut self.bytes, Opcode::Text, self.mask, parts);
    }

    fn next_id(&mut self) -> String {
        let id = self.acknowledgements;
        self.acknowledgements = id.wrapping_add(1);
        id.to_string()
    }
}

#[cfg(test)]
impl Outbox {
    /// An empty one whose masks change nothing, so that a test can read what is written.
    pub(crate) fn unmasked() -> Self {
        Self {
            bytes: Vec::new(),
            mask: [0; 4],
            acknowledgements: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Outbox)) -> String {
        let mut outbox = Outbox {
            bytes: Vec::new(),
            mask: [0; 4],
            acknowledgements: 7,
        };
        write(&mut outbox);
        String::from_utf8(outbox.bytes[6..].to_vec()).unwrap()
    }

    #[test]
    fn packets_are_written_as_the_dialect_says() {
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
}
