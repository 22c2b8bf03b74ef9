//! Opens sockets to the servers under test, from many loopback addresses.

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
    targets: Vec<SocketAddr>,
    tls: Option<Arc<ClientConfig>>,
}

impl Dial {
    /// Connections go to each of `targets` in turn. Refuses one that is not loopback. With `authority`, a PEM file, connections speak TLS
    /// and trust the certificates in it.
    pub(crate) fn new(targets: &[SocketAddr], authority: Option<&Path>) -> Result<Self, LoadError> {
        let loopback =
            |target: &&SocketAddr| matches!(target.ip(), IpAddr::V4(ip) if ip.is_loopback());
        if let Some(other) = targets.iter().find(|target| !loopback(target)) {
            return Err(LoadError::NotLoopback(*other));
        }
        Ok(Self {
            targets: targets.to_vec(),
            tls: authority.map(tls).transpose()?,
        })
    }

    /// The servers' addresses, each as an HTTP `Host`.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = String> {
        self.targets.iter().map(ToString::to_string)
    }

    /// Which of the servers connection `number` goes to.
    pub(crate) fn server(&self, number: usize) -> usize {
        number % self.targets.len().max(1)
    }

    fn target(&self, number: usize) -> io::Result<SocketAddr> {
        let target = self.targets.get(self.server(number)).copied();
        target.ok_or_else(|| io::Error::other("there is no server to connect to"))
    }

    /// Begins to connect; never waits. `number` chooses the server and the
    /// source address.
    pub(crate) fn open(&self, number: usize) -> io::Result<Stream> {
        let target = self.target(number)?;
        let stream = connect(target, number)?;
        let Some(config) = &self.tls else {
            return Ok(Stream::Plain(stream));
        };
        let name = ServerName::IpAddress(target.ip().into());
        let tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        Ok(Stream::Tls(Box::new(StreamOwned::new(tls, stream))))
    }
}

fn connect(target: SocketAddr, number: usize) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_reuse_address(true)?;
    let last = 1 + (number % SOURCES) as u8;
    let source = SocketAddr::from((Ipv4Addr::new(127, 0, 1, last), 0));
    socket.bind(&SockAddr::from(source))?;
    match socket.connect(&SockAddr::from(target)) {
        Err(error) if !in_progress(&error) => Err(error),
        _ => Ok(TcpStream::from_std(socket.into())),
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
            let refused = Dial::new(&[address.parse().unwrap()], None);
            assert!(
                matches!(refused, Err(LoadError::NotLoopback(_))),
                "{address}"
            );
        }
        assert!(Dial::new(&["127.0.0.1:3000".parse().unwrap()], None).is_ok());
    }
}
