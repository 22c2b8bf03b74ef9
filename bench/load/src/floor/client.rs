//! One connection of the floor.

use std::io::{ErrorKind, Read, Write};

use mio::net::TcpStream;

use super::request::{self, Request};

const ACCEPTED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: unchecked\r\n\r\n";
const OPEN: &[u8] = br#"0{"sid":"floor","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

/// A socket, what it has half read, and what it has to write.
pub(crate) struct Client {
    socket: TcpStream,
    upgraded: bool,
    partial: Vec<u8>,
    pub(crate) pending: Vec<u8>,
    pub(crate) rooms: Vec<Vec<u8>>,
    /// Whether it is in the list of those to flush.
    pub(crate) owed: bool,
}

impl Client {
    pub(crate) fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            upgraded: false,
            partial: Vec::new(),
            pending: Vec::new(),
            rooms: Vec::new(),
            owed: false,
        }
    }

    /// Reads what is there into `requests`; whether the connection is still open.
    pub(crate) fn read(&mut self, scratch: &mut [u8], requests: &mut Vec<Request>) -> bool {
        loop {
            match self.socket.read(scratch) {
                Ok(0) => return false,
                Ok(count) => {
                    self.partial
                        .extend_from_slice(scratch.get(..count).unwrap_or_default());
                    self.take(requests);
                    if count < scratch.len() {
                        return true;
                    }
                }
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
    }

    fn take(&mut self, requests: &mut Vec<Request>) {
        let mut bytes = std::mem::take(&mut self.partial);
        if !self.upgraded && bytes.ends_with(b"\r\n\r\n") {
            self.upgraded = true;
            self.pending.extend_from_slice(ACCEPTED);
            append(&mut self.pending, &[OPEN]);
            return;
        }
        let mut used = 0;
        while let Some((text, length)) = unmask(bytes.get_mut(used..).unwrap_or_default()) {
            requests.extend(request::parse(text));
            used += length;
        }
        bytes.drain(..used);
        self.partial = bytes;
    }

    /// Writes what is pending, as far as the socket takes it; whether the connection is open.
    pub(crate) fn flush(&mut self) -> bool {
        while !self.pending.is_empty() {
            match self.socket.write(&self.pending) {
                Ok(count) => drop(self.pending.drain(..count)),
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
            }
        }
        true
    }
}

/// The first masked frame in `bytes`, its payload unmasked in place, and its whole length.
fn unmask(bytes: &mut [u8]) -> Option<(&[u8], usize)> {
    let size = usize::from(bytes.get(1)? & 0x7f);
    let (header, size) = match size {
        126 => (
            4,
            usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)),
        ),
        127 => (
            10,
            usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?,
        ),
        short => (2, short),
    };
    let key = *bytes.get(header..)?.first_chunk::<4>()?;
    let length = size.checked_add(header + 4)?;
    let payload = bytes.get_mut(header + 4..length)?;
    payload
        .iter_mut()
        .zip(key.iter().cycle())
        .for_each(|(byte, key)| *byte ^= key);
    Some((payload, length))
}

/// Appends a text frame whose payload is the `parts` joined.
pub(crate) fn append(out: &mut Vec<u8>, parts: &[&[u8]]) {
    let size: usize = parts.iter().map(|part| part.len()).sum();
    out.push(0x81);
    match size {
        0..126 => out.push(size as u8),
        126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(size as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frame::{self, Opcode};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_floor_and_the_generator_read_each_others_frames(
            payload in prop::collection::vec(any::<u8>(), 0..300), mask: [u8; 4],
        ) {
            let mut masked = Vec::new();
            frame::append(&mut masked, Opcode::Text, mask, &[&payload]);
            let whole = masked.len();
            prop_assert_eq!(unmask(&mut masked), Some((&payload[..], whole)));

            let mut plain = Vec::new();
            append(&mut plain, &[&payload]);
            prop_assert_eq!(frame::parse(&plain).unwrap().unwrap().payload, &payload[..]);
        }
    }
}
