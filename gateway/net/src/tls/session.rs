//! The TLS state of one connection, which keeps no buffer while nothing is under way.

use std::{fmt, io, sync::Arc};

use rustls::{
    ServerConfig,
    server::UnbufferedServerConnection,
    unbuffered::{ConnectionState, EncodeError, EncryptError, InsufficientSizeError, WriteTraffic},
};

/// What a session needs beside what it is given: room for ciphertext.
pub(super) const SCRATCH: usize = 64 * 1024;

/// Ciphertext is longer than what it hides: 29 bytes a record (RFC 5288), and a key update.
const OVERHEAD: usize = 1024;

/// As many bytes as are encrypted at a time.
pub(super) const CHUNK: usize = SCRATCH - OVERHEAD;

/// Whether a session goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The session goes on.
    Open,
    /// The peer has said that it sends nothing more.
    Closed,
    /// A record could not be understood; nothing is sent or taken in any more.
    Failed,
}

/// One TLS session on the server side.
///
/// Its three buffers are empty, and own no memory, whenever no record is under way.
pub(super) struct Session {
    tls: UnbufferedServerConnection,
    /// The beginning of a record, or of a handshake message that spans several.
    incoming: Vec<u8>,
    /// What was decrypted and did not fit where it was asked for.
    plain: Vec<u8>,
    /// Ciphertext that the socket has not taken.
    outgoing: Vec<u8>,
    end: End,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(config: Arc<ServerConfig>) -> io::Result<Self> {
        Ok(Self {
            tls: UnbufferedServerConnection::new(config).map_err(invalid)?,
            incoming: Vec::new(),
            plain: Vec::new(),
            outgoing: Vec::new(),
            end: End::Open,
        })
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.tls.is_handshaking()
    }

    pub(super) fn end(&self) -> End {
        self.end
    }

    /// Ciphertext that is to be sent before any other.
    pub(super) fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// Takes `n` sent bytes off [`Self::outgoing`].
    pub(super) fn sent(&mut self, n: usize) {
        self.outgoing.drain(..n);
        if self.outgoing.is_empty() {
            self.outgoing = Vec::new();
        }
    }

    /// Keeps ciphertext that the socket did not take.
    pub(super) fn keep(&mut self, ciphertext: &[u8]) {
        self.outgoing.extend_from_slice(ciphertext);
    }

    /// Moves bytes that were decrypted earlier into `into`.
    pub(super) fn take_plain(&mut self, into: &mut [u8]) -> usize {
        let n = self.plain.len().min(into.len());
        into[..n].copy_from_slice(&self.plain[..n]);
        self.plain.drain(..n);
        if self.plain.is_empty() {
            self.plain = Vec::new();
        }
        n
    }

    /// How many bytes of a record are known already; those that follow belong behind them.
    pub(super) fn pending(&self) -> usize {
        self.incoming.len()
    }

    /// Takes in ciphertext: `buf` has room for [`Self::pending`] bytes in front of what arrived.
    /// Returns how many bytes were decrypted into `into`; more may wait for
    /// [`Self::take_plain`].
    ///
    /// # Errors
    /// Where a record is not what TLS allows here. The alert that says so is left to be sent.
    pub(super) fn receive(&mut self, buf: &mut [u8], into: &mut [u8]) -> io::Result<usize> {
        let known = std::mem::take(&mut self.incoming);
        buf[..known.len()].copy_from_slice(&known);
        let (mut used, mut written) = (0, 0);
        let outcome = self.process(buf, &mut used, into, &mut written);
        if outcome.is_err() {
            self.end = End::Failed;
            self.queue_alert(&mut buf[used..]);
        } else if self.end == End::Open {
            self.incoming = buf[used..].to_vec();
        }
        match outcome {
            Err(e) if written == 0 => Err(e),
            _ => Ok(written),
        }
    }

    fn process(
        &mut self,
        buf: &mut [u8],
        used: &mut usize,
        into: &mut [u8],
        written: &mut usize,
    ) -> io::Result<()> {
        loop {
            let status = self.tls.process_tls_records(&mut buf[*used..]);
            *used += status.discard;
            match status.state.map_err(invalid)? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(invalid)?;
                        *used += record.discard;
                        *written += deliver(record.payload, &mut into[*written..], &mut self.plain);
                    }
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    append(&mut self.outgoing, |out| data.encode(out))?;
                }
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::PeerClosed => self.end = End::Closed,
                ConnectionState::BlockedHandshake
                | ConnectionState::WriteTraffic(_)
                | ConnectionState::Closed => return Ok(()),
                _ => return Err(invalid("early data was not offered")),
            }
        }
    }

    fn queue_alert(&mut self, rest: &mut [u8]) {
        while self.tls.wants_write() {
            let status = self.tls.process_tls_records(rest);
            let Ok(ConnectionState::EncodeTlsData(mut data)) = status.state else {
                return;
            };
            if append(&mut self.outgoing, |out| data.encode(out)).is_err() {
                return;
            }
        }
    }

    /// Encrypts `plain`, at most [`CHUNK`] bytes, into `scratch` and returns how long the
    /// ciphertext is. What is in [`Self::outgoing`] by then goes first.
    pub(super) fn encrypt(&mut self, plain: &[u8], scratch: &mut [u8]) -> io::Result<usize> {
        self.write(|traffic| traffic.encrypt(plain, scratch))
    }

    /// Queues `close_notify`: nothing more will be written.
    pub(super) fn close(&mut self) -> io::Result<()> {
        let mut alert = [0; OVERHEAD];
        let len = self.write(|traffic| traffic.queue_close_notify(&mut alert))?;
        self.keep(&alert[..len]);
        Ok(())
    }

    fn write(
        &mut self,
        act: impl FnOnce(
            &mut WriteTraffic<'_, rustls::server::ServerConnectionData>,
        ) -> Result<usize, EncryptError>,
    ) -> io::Result<usize> {
        while self.end != End::Failed {
            match self.tls.process_tls_records(&mut self.incoming).state {
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    return act(&mut traffic).map_err(io::Error::other);
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append(&mut self.outgoing, |out| data.encode(out))?;
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                _ => break,
            }
        }
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

/// Copies what fits into `into`, and keeps the rest.
fn deliver(payload: &[u8], into: &mut [u8], rest: &mut Vec<u8>) -> usize {
    let n = payload.len().min(into.len());
    into[..n].copy_from_slice(&payload[..n]);
    rest.extend_from_slice(&payload[n..]);
    n
}

/// Has `encode` write behind the end of `out`, which grows by as much as it asks for.
fn append(
    out: &mut Vec<u8>,
    mut encode: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>,
) -> io::Result<()> {
    let start = out.len();
    match encode(&mut []) {
        Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) => {
            out.resize(start + required_size, 0);
            let len = encode(&mut out[start..]).map_err(io::Error::other)?;
            out.truncate(start + len);
            Ok(())
        }
        done => done.map(|_| ()).map_err(io::Error::other),
    }
}

fn invalid(e: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, e)
}
