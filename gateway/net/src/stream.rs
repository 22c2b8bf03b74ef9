//! The byte stream of one connection, plain or TLS, without buffers of its own.

use std::{
    io::{self, ErrorKind, Read, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use rustls::ServerConnection;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

/// A connected stream that a worker polls.
#[derive(Debug)]
pub enum Stream {
    /// TCP.
    Plain(TcpStream),
    /// TLS over TCP, after the handshake.
    Tls(Box<Tls>),
}

/// The TCP stream and the TLS state beside it.
#[derive(Debug)]
pub struct Tls {
    tcp: TcpStream,
    session: ServerConnection,
}

impl From<TcpStream> for Stream {
    fn from(tcp: TcpStream) -> Self {
        Self::Plain(tcp)
    }
}

impl From<TlsStream<TcpStream>> for Stream {
    fn from(stream: TlsStream<TcpStream>) -> Self {
        let (tcp, session) = stream.into_inner();
        Self::Tls(Box::new(Tls { tcp, session }))
    }
}

impl Stream {
    /// Reads into `buf`; `Ok(0)` is the end of the stream.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(tcp) => poll_tcp(tcp, cx, buf),
            Self::Tls(tls) => tls.poll_read(cx, buf),
        }
    }

    /// Waits until a write may go on after one that would have blocked.
    pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tcp().poll_write_ready(cx)
    }

    /// Writes what the socket takes at once.
    pub(crate) fn try_write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.try_write(buf),
            Self::Tls(tls) => tls.try_write(buf),
        }
    }

    /// Whether all that was accepted for writing has left this process.
    pub(crate) fn is_flushed(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Tls(tls) => !tls.session.wants_write(),
        }
    }

    /// Pushes out what [`Self::is_flushed`] speaks of.
    pub(crate) fn try_flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(tls) => tls.try_flush(),
        }
    }

    /// Says that nothing more will be written.
    pub(crate) fn shutdown(&mut self) {
        if let Self::Tls(tls) = self {
            tls.session.send_close_notify();
            let _ = tls.try_flush();
        }
        // A socket that is already gone has nothing left to shut.
        let _ = socket2::SockRef::from(self.tcp()).shutdown(std::net::Shutdown::Write);
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &tls.tcp,
        }
    }
}

/// A stream on its way from one worker to another.
#[derive(Debug)]
pub struct Portable {
    tcp: std::net::TcpStream,
    tls: Option<ServerConnection>,
}

impl Stream {
    /// Takes the stream off this worker's runtime.
    pub fn detach(self) -> io::Result<Portable> {
        Ok(match self {
            Self::Plain(tcp) => Portable {
                tcp: tcp.into_std()?,
                tls: None,
            },
            Self::Tls(tls) => Portable {
                tcp: tls.tcp.into_std()?,
                tls: Some(tls.session),
            },
        })
    }
}

impl Portable {
    /// Puts the stream on the runtime of the current worker.
    pub fn attach(self) -> io::Result<Stream> {
        let tcp = TcpStream::from_std(self.tcp)?;
        Ok(match self.tls {
            None => Stream::Plain(tcp),
            Some(session) => Stream::Tls(Box::new(Tls { tcp, session })),
        })
    }
}

fn poll_tcp(tcp: &mut TcpStream, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
    let mut buf = ReadBuf::new(buf);
    ready!(Pin::new(tcp).poll_read(cx, &mut buf))?;
    Poll::Ready(Ok(buf.filled().len()))
}

impl Tls {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.session.reader().read(buf) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read),
            }
            let mut io = PollRead {
                tcp: &mut self.tcp,
                cx,
            };
            match self.session.read_tls(&mut io) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Poll::Pending,
                Err(e) => return Poll::Ready(Err(e)),
                Ok(_) => {}
            }
            let processed = self.session.process_new_packets();
            self.try_flush_or_wait()?;
            processed.map_err(|e| io::Error::new(ErrorKind::InvalidData, e))?;
        }
    }

    fn try_write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.try_flush()?;
        let written = self.session.writer().write(buf)?;
        self.try_flush_or_wait()?;
        Ok(written)
    }

    fn try_flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut TryWrite(&self.tcp))?;
        }
        Ok(())
    }

    fn try_flush_or_wait(&mut self) -> io::Result<()> {
        match self.try_flush() {
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(()),
            done => done,
        }
    }
}

/// Lets rustls read from a socket that registers the task's waker when it would block.
struct PollRead<'a, 'b> {
    tcp: &'a mut TcpStream,
    cx: &'a mut Context<'b>,
}

impl Read for PollRead<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match poll_tcp(self.tcp, self.cx, buf) {
            Poll::Ready(read) => read,
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

struct TryWrite<'a>(&'a TcpStream);

impl Write for TryWrite<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.try_write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
