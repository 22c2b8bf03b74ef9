//! The byte stream of one connection, plain, TLS or local, without buffers of its own.

mod passing;

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::{TcpStream, UnixStream},
};

use crate::tls::{Detached, TlsStream};

/// A connected stream that a worker polls: TCP, TLS over TCP after its handshake, or one end of a
/// local pair whose other end passes on what comes from elsewhere.
#[derive(Debug)]
pub struct Stream(Kind);

#[derive(Debug)]
enum Kind {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
    Local(UnixStream),
}

impl From<TcpStream> for Stream {
    fn from(tcp: TcpStream) -> Self {
        Self(Kind::Plain(tcp))
    }
}

impl From<Box<TlsStream>> for Stream {
    fn from(tls: Box<TlsStream>) -> Self {
        Self(Kind::Tls(tls))
    }
}

impl From<UnixStream> for Stream {
    fn from(local: UnixStream) -> Self {
        Self(Kind::Local(local))
    }
}

impl Stream {
    /// Reads into `buf`; `Ok(0)` is the end of the stream.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Kind::Plain(tcp) => poll_socket(tcp, cx, buf),
            Kind::Tls(tls) => tls.poll_decrypted(cx, buf),
            Kind::Local(local) => poll_socket(local, cx, buf),
        }
    }

    /// Waits until a write may go on after one that would have blocked.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.0 {
            Kind::Plain(tcp) => tcp.poll_write_ready(cx),
            Kind::Tls(tls) => tls.tcp().poll_write_ready(cx),
            Kind::Local(local) => local.poll_write_ready(cx),
        }
    }

    /// Writes what the socket takes at once.
    pub(crate) fn try_write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Plain(tcp) => tcp.try_write(buf),
            Kind::Tls(tls) => tls.try_write(buf),
            Kind::Local(local) => local.try_write(buf),
        }
    }

    /// Whether all that was accepted for writing has left this process.
    pub(crate) fn is_flushed(&self) -> bool {
        match &self.0 {
            Kind::Plain(_) | Kind::Local(_) => true,
            Kind::Tls(tls) => tls.is_flushed(),
        }
    }

    /// Pushes out what [`Self::is_flushed`] speaks of.
    pub(crate) fn try_flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Kind::Plain(_) | Kind::Local(_) => Ok(()),
            Kind::Tls(tls) => tls.try_flush(),
        }
    }

    /// Whether something came that was not read yet, whatever the runtime knows of it.
    pub(crate) fn has_unread(&self) -> bool {
        let socket = match &self.0 {
            Kind::Plain(tcp) => SockRef::from(tcp),
            Kind::Tls(tls) => SockRef::from(tls.tcp()),
            Kind::Local(local) => SockRef::from(local),
        };
        socket
            .peek(&mut [MaybeUninit::uninit()])
            .is_ok_and(|n| n > 0)
    }

    /// Says that nothing more will be written.
    pub(crate) fn shutdown(&mut self) {
        let socket = match &mut self.0 {
            Kind::Plain(tcp) => SockRef::from(&*tcp),
            Kind::Tls(tls) => {
                tls.close();
                SockRef::from(tls.tcp())
            }
            Kind::Local(local) => SockRef::from(&*local),
        };
        // A socket that is already gone has nothing left to shut.
        let _ = socket.shutdown(std::net::Shutdown::Write);
    }
}

/// A stream on its way from one worker to another.
#[derive(Debug)]
pub struct Portable(Parts);

#[derive(Debug)]
enum Parts {
    Plain(std::net::TcpStream),
    Tls(Box<Detached>),
    Local(std::os::unix::net::UnixStream),
}

impl Stream {
    /// Takes the stream off this worker's runtime.
    pub fn detach(self) -> io::Result<Portable> {
        Ok(Portable(match self.0 {
            Kind::Plain(tcp) => Parts::Plain(tcp.into_std()?),
            Kind::Tls(tls) => Parts::Tls(Box::new(tls.detach()?)),
            Kind::Local(local) => Parts::Local(local.into_std()?),
        }))
    }
}

impl Portable {
    /// Puts the stream on the runtime of the current worker.
    pub fn attach(self) -> io::Result<Stream> {
        Ok(Stream(match self.0 {
            Parts::Plain(tcp) => Kind::Plain(TcpStream::from_std(tcp)?),
            Parts::Tls(tls) => Kind::Tls(Box::new(tls.attach()?)),
            Parts::Local(local) => Kind::Local(UnixStream::from_std(local)?),
        }))
    }
}

fn poll_socket<S>(socket: &mut S, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>
where
    S: AsyncRead + Unpin,
{
    let mut buf = ReadBuf::new(buf);
    ready!(Pin::new(socket).poll_read(cx, &mut buf))?;
    Poll::Ready(Ok(buf.filled().len()))
}
