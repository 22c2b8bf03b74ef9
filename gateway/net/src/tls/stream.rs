//! TLS over TCP: what hyper serves HTTP on, and what a connection is polled on after that.

use std::{
    cell::RefCell,
    future::poll_fn,
    io::{self, ErrorKind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::session::{CHUNK, End, SCRATCH, Session};

thread_local! {
    /// Ciphertext passes through here, so that no connection has a buffer for it.
    static CIPHERTEXT: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into_boxed_slice());
}

/// A TCP stream and the TLS session on it.
#[derive(Debug)]
pub(crate) struct TlsStream {
    tcp: TcpStream,
    session: Session,
}

/// A TLS stream off its runtime.
#[derive(Debug)]
pub(crate) struct Detached {
    tcp: std::net::TcpStream,
    session: Session,
}

impl TlsStream {
    /// Does the handshake.
    pub(crate) async fn accept(tcp: TcpStream, config: Arc<ServerConfig>) -> io::Result<Box<Self>> {
        let session = Session::new(config)?;
        let mut stream = Box::new(Self { tcp, session });
        poll_fn(|cx| stream.poll_handshake(cx)).await?;
        Ok(stream)
    }

    pub(crate) fn tcp(&self) -> &TcpStream {
        &self.tcp
    }

    pub(crate) fn detach(self) -> io::Result<Detached> {
        Ok(Detached {
            tcp: self.tcp.into_std()?,
            session: self.session,
        })
    }

    /// Whether the socket has taken all ciphertext.
    pub(crate) fn is_flushed(&self) -> bool {
        self.session.outgoing().is_empty()
    }

    /// Reads and decrypts into `into`; `Ok(0)` says that the peer has closed the session.
    pub(crate) fn poll_decrypted(
        &mut self,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let n = self.session.take_plain(into);
            if n > 0 || into.is_empty() {
                return Poll::Ready(Ok(n));
            }
            match self.session.end() {
                End::Open => {}
                End::Closed => return Poll::Ready(Ok(0)),
                End::Failed => return Poll::Ready(Err(ErrorKind::InvalidData.into())),
            }
            let n = ready!(self.poll_receive(cx, into))?;
            if n > 0 {
                return Poll::Ready(Ok(n));
            }
        }
    }

    /// Encrypts and writes what the socket takes at once. What was encrypted is accepted, whether
    /// or not the socket took all of it: see [`Self::is_flushed`].
    pub(crate) fn try_write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.try_flush()?;
        let buf = &buf[..buf.len().min(CHUNK)];
        CIPHERTEXT.with_borrow_mut(|scratch| {
            let len = self.session.encrypt(buf, scratch)?;
            self.send(&scratch[..len])
        })?;
        Ok(buf.len())
    }

    /// Writes ciphertext behind what waits already.
    fn send(&mut self, ciphertext: &[u8]) -> io::Result<()> {
        let sent = if self.is_flushed() {
            match self.tcp.try_write(ciphertext) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => 0,
                sent => sent?,
            }
        } else {
            0
        };
        self.session.keep(&ciphertext[sent..]);
        Ok(())
    }

    /// Writes ciphertext that waits.
    pub(crate) fn try_flush(&mut self) -> io::Result<()> {
        while !self.is_flushed() {
            let n = self.tcp.try_write(self.session.outgoing())?;
            self.session.sent(n);
        }
        Ok(())
    }

    /// Tells the peer that nothing more will be written, as far as the socket takes it now.
    pub(crate) fn close(&mut self) {
        if self.session.close().is_ok() {
            let _ = self.try_flush();
        }
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_flushed(cx))?;
            if !self.session.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_receive(cx, &mut []))?;
        }
    }

    /// Reads from the socket once.
    fn poll_receive(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        CIPHERTEXT.with_borrow_mut(|scratch| {
            let known = self.session.pending();
            let mut buf = ReadBuf::new(&mut scratch[known..]);
            if buf.remaining() == 0 {
                let e = "a TLS handshake message is longer than 64 KiB";
                return Poll::Ready(Err(io::Error::new(ErrorKind::InvalidData, e)));
            }
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut buf))?;
            let filled = known + buf.filled().len();
            if filled == known {
                return Poll::Ready(Err(ErrorKind::UnexpectedEof.into()));
            }
            let received = self.session.receive(&mut scratch[..filled], into);
            // An answer that the socket does not take now leaves with the next write.
            match self.try_flush() {
                Err(e) if e.kind() != ErrorKind::WouldBlock => Poll::Ready(received.and(Err(e))),
                _ => Poll::Ready(received),
            }
        })
    }

    fn poll_flushed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.try_flush() {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    ready!(self.tcp.poll_write_ready(cx))?;
                }
                done => return Poll::Ready(done),
            }
        }
    }
}

impl Detached {
    /// Puts the stream on the current runtime.
    pub(crate) fn attach(self) -> io::Result<TlsStream> {
        Ok(TlsStream {
            tcp: TcpStream::from_std(self.tcp)?,
            session: self.session,
        })
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let n = ready!(self.poll_decrypted(cx, buf.initialize_unfilled()))?;
        buf.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_flushed(cx))?;
        Poll::Ready(self.try_write(buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flushed(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        ready!(self.poll_flushed(cx))?;
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
