//! From a URL to a connection on which both sides have said who they are.

mod error;
mod greet;

use std::net::SocketAddr;

use bytes::BytesMut;
use rand::seq::SliceRandom as _;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};

pub(super) use self::error::DialError;
use self::greet::Greeting;
use super::{CaError, Options, ServerInfo, ServerUrl, protocol::Decoder, tls::Tls};

/// A connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that is ready for subscriptions.
pub(super) struct Established {
    pub(super) stream: Box<dyn Stream>,
    pub(super) decoder: Decoder,
    /// What was read and not yet decoded.
    pub(super) input: BytesMut,
    pub(super) info: ServerInfo,
    pub(super) url: ServerUrl,
}

/// Connects to a server, by what the options say.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) options: Options,
    tls: Tls,
}

impl Dialer {
    pub(super) fn new(options: Options) -> Result<Self, CaError> {
        let tls = Tls::new(options.ca.as_deref())?;
        Ok(Self { options, tls })
    }

    /// Connects to one of the addresses of `url`, whose name is looked up each time.
    pub(super) async fn dial(&self, url: &ServerUrl) -> Result<Established, DialError> {
        let mut last = DialError::NoAddress;
        for address in self.addresses(url).await? {
            match self.meet(address, url).await {
                Ok(established) => return Ok(established),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn addresses(&self, url: &ServerUrl) -> Result<Vec<SocketAddr>, DialError> {
        let lookup = lookup_host((url.host.as_str(), url.port));
        let found = timeout(self.options.connect_timeout, lookup).await;
        let found = found.map_err(|_| DialError::LookupTimeout)?;
        let mut addresses: Vec<_> = found.map_err(DialError::Lookup)?.collect();
        addresses.shuffle(&mut rand::rng());
        Ok(addresses)
    }

    async fn meet(&self, address: SocketAddr, url: &ServerUrl) -> Result<Established, DialError> {
        let within = self.options.connect_timeout;
        let stream = timeout(within, TcpStream::connect(address)).await;
        let stream = stream.map_err(|_| DialError::ConnectTimeout)?;
        let stream = stream.map_err(DialError::Connect)?;
        // Operations are gathered before they are written; nothing is gained by waiting further.
        stream.set_nodelay(true).map_err(DialError::Connect)?;
        let greeting = Greeting {
            options: &self.options,
            tls: &self.tls,
            url,
        };
        let greeted = timeout(within, greeting.exchange(stream)).await;
        greeted.map_err(|_| DialError::GreetingTimeout)?
    }
}
