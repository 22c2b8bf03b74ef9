//! What has arrived at a client's end of a connection.

use std::{
    io::{ErrorKind, Read as _},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

const MOMENT: Duration = Duration::from_millis(1);

/// Text frames of JSON, as servers send them (RFC 6455, section 5.2).
pub(super) struct Frames {
    end: TcpStream,
    bytes: Vec<u8>,
}

impl Frames {
    pub(super) fn new(end: TcpStream) -> Self {
        Self {
            end,
            bytes: Vec::new(),
        }
    }

    /// All that has arrived whole since this was last asked.
    pub(super) fn take(&mut self) -> Vec<Value> {
        let mut chunk = [0; 16_384];
        loop {
            match self.end.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => self.bytes.extend(&chunk[..n]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            }
        }
        std::iter::from_fn(|| self.next()).collect()
    }

    /// Waits a moment for more to arrive.
    pub(super) fn wait(&self) {
        self.end.set_nonblocking(false).unwrap();
        self.end.set_read_timeout(Some(MOMENT)).unwrap();
        let _ = self.end.peek(&mut [0]);
        self.end.set_nonblocking(true).unwrap();
    }

    fn next(&mut self) -> Option<Value> {
        let (start, len) = match *self.bytes.as_slice() {
            [_, 126, high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
            [_, len, ..] if len < 126 => (2, usize::from(len)),
            _ => return None,
        };
        let payload = self.bytes.get(start..start + len)?;
        assert_eq!(self.bytes[0], 0x81, "a text frame");
        let value = serde_json::from_slice(payload).unwrap();
        self.bytes.drain(..start + len);
        Some(value)
    }
}
