//! Opens sockets to the server under test, from many loopback addresses.

use std::fs::File;
use std::io::{self, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use mio::net::TcpStream;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::stream::Stream;
use crate::error::LoadError;

/// Source addresses in turn. One address has some 28,000 ports to one destination; closed
/// connections hold theirs for a minute, so that 200,000 in churn need several.
const SOURCES: usize = 64;

/// Where connections go, and whether through TLS.
pub(crate) struct Dial {
    target: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

impl Dial {
    /// Refuses a target that is not loopback. With `authority`, a PEM file, connections speak TLS
    /// and trust the certificates in it.
    pub(crate) fn new(target: SocketAddr, authority: Option<&Path>) -> Result<Self, LoadError> {
        if !matches!(target.ip(), IpAddr::V4(ip) if ip.is_loopback()) {
            return Err(LoadError::NotLoopback(target));
        }
        Ok(Self {
            target,
            tls: authority.map(tls).transpose()?,
        })
    }

    /// The server's address as an HTTP `Host`.
    pub(crate) fn host(&self) -> String {
        self.target.to_string()
    }

    /// Begins to connect; never waits. `number` chooses the source address.
    pub(crate) fn open(&self, number: usize) -> io::Result<Stream> {
        let stream = self.connect(number)?;
        let Some(config) = &self.tls else {
            return Ok(Stream::Plain(stream));
        };
        let name = ServerName::IpAddress(self.target.ip().into());
        let tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        Ok(Stream::Tls(Box::new(StreamOwned::new(tls, stream))))
    }

    fn connect(&self, number: usize) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        socket.set_reuse_address(true)?;
        let last = 1 + (number % SOURCES) as u8;
        let source = SocketAddr::from((Ipv4Addr::new(127, 0, 1, last), 0));
        socket.bind(&SockAddr::from(source))?;
        match socket.connect(&SockAddr::from(self.target)) {
            Err(error) if !in_progress(&error) => Err(error),
            _ => Ok(TcpStream::from_std(socket.into())),
        }
    }
}

fn in_progress(error: &io::Error) -> bool {
    const EINPROGRESS: i32 = 115;
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(EINPROGRESS)
}

fn tls(authority: &Path) -> Result<Arc<ClientConfig>, LoadError> {
    let unreadable = |source| LoadError::Read {
        path: authority.to_owned(),
        source,
    };
    let file = BufReader::new(File::open(authority).map_err(unreadable)?);
    let mut roots = RootCertStore::empty();
    for certificate in rustls::pki_types::CertificateDer::pem_reader_iter(file) {
        let certificate = certificate.map_err(|error| LoadError::Tls(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| LoadError::Tls(error.to_string()))?;
    }
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_is_refused() {
        for address in ["192.0.2.1:3000", "0.0.0.0:3000", "[::1]:3000"] {
            let refused = Dial::new(address.parse().unwrap(), None);
            assert!(
                matches!(refused, Err(LoadError::NotLoopback(_))),
                "{address}"
            );
        }
        assert!(Dial::new("127.0.0.1:3000".parse().unwrap(), None).is_ok());
    }
}
