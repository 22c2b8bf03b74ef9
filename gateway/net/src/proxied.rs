//! Whom a proxy in front speaks for: the PROXY protocol, versions 1 and 2.

use std::{io, net::SocketAddr};

use proxy_header::{Error, ParseConfig, ProxyHeader};
use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// The longest header. Beside addresses, version 2 may say much of a proxy's own connection.
const MAX_HEADER: usize = 4096;

/// Reads the header that a proxy begins a connection with, and nothing of what follows it.
///
/// The answer is where the client is; none where the proxy speaks for itself, as it does to see
/// whether the gateway is there, or does not know.
///
/// # Errors
/// Where what comes is no such header, is longer than 4 KiB, or ends before it is whole.
pub(crate) async fn client(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let (mut header, mut seen) = (Vec::new(), vec![0; MAX_HEADER]);
    loop {
        let count = stream.peek(&mut seen).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let had = header.len();
        header.extend_from_slice(&seen[..count]);
        match ProxyHeader::parse(&header, ParseConfig::default()) {
            Ok((parsed, len)) => {
                stream.read_exact(&mut seen[..len - had]).await?;
                return Ok(parsed.proxied_address().map(|address| address.source));
            }
            Err(Error::BufferTooShort) if header.len() < MAX_HEADER => {
                stream.read_exact(&mut seen[..count]).await?;
            }
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
}
