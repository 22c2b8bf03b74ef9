//! The half of a connection that writes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::AsyncWrite as _;

use super::{dial::Stream, shared::Shared};

/// A buffer that was needed for more than this is given back.
const KEPT: usize = 1024 * 1024;

/// Writes what is in the outbox, all of it in one piece each time.
#[derive(Debug, Default)]
pub(super) struct Writer {
    writing: Vec<u8>,
    written: usize,
    unflushed: bool,
}

impl Writer {
    /// Writes until there is nothing more, and is ready then. The task is woken when there is.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Box<dyn Stream>,
        shared: &Shared,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_write(cx, stream))?;
            if self.writing.capacity() > KEPT {
                self.writing = Vec::new();
            }
            self.written = 0;
            if !shared.change(|outbox| outbox.take(&mut self.writing)) {
                return self.poll_flush(cx, stream);
            }
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Box<dyn Stream>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest) = self.writing.get(self.written..).filter(|r| !r.is_empty()) {
            let written = ready!(Pin::new(&mut *stream).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
            self.unflushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// TLS keeps back what the socket did not take.
    fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Box<dyn Stream>,
    ) -> Poll<io::Result<()>> {
        if self.unflushed {
            ready!(Pin::new(stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}
