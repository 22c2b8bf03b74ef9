//! One client connection: its socket, what it has half read, and what it has still to write.

use std::io::{ErrorKind, Read, Write};

use super::setup::{self, Phase, Wish};
use super::stream::Stream;
use crate::error::LossReason;
use crate::wire::dialect::Dialect;
use crate::wire::frame::{self, Frame, Opcode};
use crate::wire::outbox::Outbox;
use crate::wire::packet::Packet;

/// A connection and how far its set-up has come.
pub(crate) struct Connection {
    stream: Stream,
    dialect: Dialect,
    /// The start of a frame whose rest has not come yet.
    partial: Vec<u8>,
    pub(crate) outbox: Outbox,
    pub(crate) phase: Phase,
    wish: Wish,
    /// A connection that does not read stands for a client that is stuck.
    pub(crate) reads: bool,
}

impl Connection {
    pub(crate) fn new(stream: Stream, dialect: Dialect, request: &[u8], wish: Wish) -> Self {
        let outbox = Outbox::new(request, dialect);
        Self {
            stream,
            dialect,
            partial: Vec::new(),
            outbox,
            phase: Phase::Upgrading,
            wish,
            reads: true,
        }
    }

    /// Reads until the socket is empty, through `scratch`, and gives `each` the packets that come
    /// once the connection is ready.
    pub(crate) fn read(
        &mut self,
        scratch: &mut [u8],
        mut each: impl FnMut(&Packet<'_>, &mut Outbox),
    ) -> Result<(), LossReason> {
        loop {
            let held = self.partial.len();
            let (start, rest) = scratch
                .split_at_mut_checked(held)
                .ok_or(LossReason::FrameTooLarge)?;
            start.copy_from_slice(&self.partial);
            let room = rest.len();
            let count = match self.stream.read(rest) {
                Ok(0) if room == 0 => return Err(LossReason::FrameTooLarge),
                Ok(0) => return Err(LossReason::Closed),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            let bytes = scratch.get(..held + count).unwrap_or_default();
            let used = self.take(bytes, &mut each)?;
            self.partial.clear();
            self.partial
                .extend_from_slice(bytes.get(used..).unwrap_or_default());
            if count < room && self.stream.short_read_is_last() {
                return Ok(());
            }
        }
    }

    /// Takes every whole frame in `bytes`; the bytes used.
    fn take(
        &mut self,
        bytes: &[u8],
        each: &mut impl FnMut(&Packet<'_>, &mut Outbox),
    ) -> Result<usize, LossReason> {
        let mut used = 0;
        if self.phase == Phase::Upgrading {
            let Some(length) = setup::response(bytes)? else {
                return Ok(0);
            };
            self.phase = setup::upgraded(self.dialect, &self.wish, &mut self.outbox);
            used = length;
        }
        while let Some(frame) = frame::parse(bytes.get(used..).unwrap_or_default())? {
            used += frame.length;
            self.frame(&frame, each)?;
        }
        Ok(used)
    }

    fn frame(
        &mut self,
        frame: &Frame<'_>,
        each: &mut impl FnMut(&Packet<'_>, &mut Outbox),
    ) -> Result<(), LossReason> {
        match frame.opcode {
            Opcode::Text => {
                for packet in self.dialect.packets(frame.payload) {
                    self.packet(&packet, each)?;
                }
            }
            Opcode::Ping => self.outbox.websocket_pong(frame.payload),
            Opcode::Close => return Err(closed(frame.payload)),
            Opcode::Binary | Opcode::Pong => {}
        }
        Ok(())
    }

    fn packet(
        &mut self,
        packet: &Packet<'_>,
        each: &mut impl FnMut(&Packet<'_>, &mut Outbox),
    ) -> Result<(), LossReason> {
        if *packet == Packet::Ping {
            self.outbox.pong();
        } else if self.phase == Phase::Ready {
            each(packet, &mut self.outbox);
        } else {
            self.phase = setup::advance(self.phase, packet, &self.wish, &mut self.outbox)?;
        }
        Ok(())
    }

    /// Writes what waits, as far as the socket takes it.
    pub(crate) fn flush(&mut self) -> Result<(), LossReason> {
        while !self.outbox.bytes.is_empty() {
            match self.stream.write(&self.outbox.bytes) {
                Ok(count) if count == self.outbox.bytes.len() => self.outbox.bytes.clear(),
                Ok(count) => drop(self.outbox.bytes.drain(..count)),
                Err(error) if waits(error.kind()) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        match self.stream.flush() {
            Err(error) if !waits(error.kind()) => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Whether the kernel will tell when to try again.
fn waits(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::NotConnected)
}

fn closed(payload: &[u8]) -> LossReason {
    match payload {
        [high, low, text @ ..] => LossReason::CloseFrame {
            code: u16::from_be_bytes([*high, *low]),
            text: setup::text(text),
        },
        _ => LossReason::Closed,
    }
}
