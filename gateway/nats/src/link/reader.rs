//! The half of a connection that reads.

use std::{
    io,
    pin::pin,
    task::{Context, Poll},
};

use bytes::BytesMut;
use tokio::io::AsyncReadExt as _;

use super::{
    dial::Stream,
    protocol::{Decoder, Operation, ProtocolError},
};

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// What was read and not yet decoded.
#[derive(Debug)]
pub(super) struct Reader {
    decoder: Decoder,
    input: BytesMut,
}

impl Reader {
    pub(super) fn new(decoder: Decoder, input: BytesMut) -> Self {
        Self { decoder, input }
    }

    /// Reads once. The bytes that came; 0 at the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Box<dyn Stream>,
    ) -> Poll<io::Result<usize>> {
        let missing = self.decoder.needed().saturating_sub(self.input.len());
        if self.input.capacity() - self.input.len() < missing.max(PIECE / 16) {
            self.input.reserve(missing.max(PIECE));
        }
        // The future holds nothing between two polls, so a new one goes on where the last one was.
        pin!(stream.read_buf(&mut self.input)).poll(cx)
    }

    /// The next operation of what was read.
    pub(super) fn next(&mut self) -> Result<Option<Operation>, ProtocolError> {
        self.decoder.next(&mut self.input)
    }

    pub(super) fn set_max_payload(&mut self, max_payload: usize) {
        self.decoder.set_max_payload(max_payload);
    }
}
