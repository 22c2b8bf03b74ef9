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
use super::{Auth, CaError, Options, ServerInfo, ServerUrl, protocol::Decoder, tls::Tls};

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
    /// When what let the client in expires, in seconds since 1970, where that is known.
    pub(super) expires: Option<u64>,
}

/// Connects to a server, by what the options say.
#[derive(Debug)]
pub(super) struct Dialer {
    pub(super) options: Options,
    tls: Tls,
}

impl Dialer {
    pub(super) fn new(options: Options) -> Result<Self, CaError> {
        let tls = Tls::new(options.ca.as_deref(), options.certificates.clone())?;
        Ok(Self { options, tls })
    }

    /// Connects to one of the addresses of `url`, whose name is looked up each time, by what lets
    /// the client in now.
    pub(super) async fn dial(&self, url: &ServerUrl) -> Result<Established, DialError> {
        let mut last = DialError::NoAddress;
        let (logins, addresses) = (self.logins(url)?, self.addresses(url).await?);
        for auth in &logins {
            for address in &addresses {
                match self.meet(*address, (url, auth)).await {
                    Ok(established) => return Ok(established),
                    Err(error) => last = error,
                }
            }
            if !last.is_about_credentials() {
                break;
            }
        }
        Err(last)
    }

    /// Whom a URL names comes before all others.
    fn logins(&self, url: &ServerUrl) -> Result<Vec<Auth>, DialError> {
        match url.login() {
            Some(login) => Ok(vec![login]),
            None => self.options.logins.read().map_err(DialError::Login),
        }
    }

    async fn addresses(&self, url: &ServerUrl) -> Result<Vec<SocketAddr>, DialError> {
        let lookup = lookup_host((url.host.as_str(), url.port));
        let found = timeout(self.options.connect_timeout, lookup).await;
        let found = found.map_err(|_| DialError::LookupTimeout)?;
        let mut addresses: Vec<_> = found.map_err(DialError::Lookup)?.collect();
        addresses.shuffle(&mut rand::rng());
        Ok(addresses)
    }

    async fn meet(
        &self,
        address: SocketAddr,
        (url, auth): (&ServerUrl, &Auth),
    ) -> Result<Established, DialError> {
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
            auth,
        };
        let greeted = timeout(within, greeting.exchange(stream)).await;
        greeted.map_err(|_| DialError::GreetingTimeout)?
    }
}
