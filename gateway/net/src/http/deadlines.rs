//! How long a stream that HTTP is spoken on may take, and over what.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    io::{self, IoSlice},
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep},
};

/// How long a client may take before it is cut off.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long a TLS handshake may take.
    pub tls: Duration,
    /// How long a request's head may take, from its first byte on; the first one's from accept on.
    pub head: Duration,
    /// How long a connection may stay open between an answer and the next request. Balancers keep
    /// connections for 60 seconds and more, and send requests over them that must not meet an end.
    pub idle: Duration,
    /// How long a client may leave an answer unread.
    pub write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tls: Duration::from_secs(10),
            head: Duration::from_secs(10),
            idle: Duration::from_secs(80),
            write: Duration::from_secs(30),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// A head has begun to come, or the connection has.
    Head,
    /// A request is worked on.
    Request,
    /// The last request is answered, and the next one has not begun.
    Idle,
}

/// What a stream does, and since when.
#[derive(Debug)]
pub(super) struct Progress {
    doing: Cell<(Doing, Instant)>,
    /// Since when the client takes nothing of what is written.
    blocked: Cell<Option<Instant>>,
}

impl Progress {
    pub(super) fn begin() -> Rc<Self> {
        Rc::new(Self {
            doing: Cell::new((Doing::Head, Instant::now())),
            blocked: Cell::new(None),
        })
    }

    /// A head has come whole.
    pub(super) fn asked(&self) {
        self.doing.set((Doing::Request, Instant::now()));
    }

    /// There is an answer to be written.
    pub(super) fn answered(&self) {
        self.doing.set((Doing::Idle, Instant::now()));
    }

    /// Whether nothing is owed on either side.
    pub(super) fn is_idle(&self) -> bool {
        self.doing.get().0 == Doing::Idle && self.blocked.get().is_none()
    }

    /// When the client is cut off if nothing happens until then.
    fn deadline(&self, patience: &Patience) -> Option<Instant> {
        let (doing, since) = self.doing.get();
        let read = match doing {
            Doing::Head => Some(since + patience.head),
            Doing::Request => None,
            Doing::Idle => Some(since + patience.idle),
        };
        let write = self.blocked.get().map(|since| since + patience.write);
        match (read, write) {
            (Some(read), Some(write)) => Some(read.min(write)),
            (read, write) => read.or(write),
        }
    }

    /// What `serving` comes to, or nothing where the client takes too long.
    pub(super) async fn in_time<T>(
        &self,
        patience: &Patience,
        serving: impl Future<Output = T>,
    ) -> Option<T> {
        let (mut serving, mut timer) = (pin!(serving), pin!(sleep(patience.head)));
        poll_fn(|cx| {
            if let Poll::Ready(served) = serving.as_mut().poll(cx) {
                return Poll::Ready(Some(served));
            }
            let Some(deadline) = self.deadline(patience) else {
                return Poll::Pending;
            };
            if timer.deadline() != deadline {
                timer.as_mut().reset(deadline);
            }
            timer.as_mut().poll(cx).map(|()| None)
        })
        .await
    }

    fn received(&self) {
        if self.doing.get().0 == Doing::Idle {
            self.doing.set((Doing::Head, Instant::now()));
        }
    }

    fn wrote<T>(&self, written: &Poll<T>) {
        match written {
            Poll::Ready(_) => self.blocked.set(None),
            Poll::Pending if self.blocked.get().is_none() => {
                self.blocked.set(Some(Instant::now()));
            }
            Poll::Pending => {}
        }
    }
}

/// A stream that tells of its progress.
pub(super) struct Timed<S> {
    pub(super) stream: S,
    pub(super) progress: Rc<Progress>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.progress.received();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.progress.wrote(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.progress.wrote(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.progress.wrote(&flushed);
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
