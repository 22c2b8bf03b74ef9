//! TLS for a listener, by rustls, with a certificate that can be exchanged while it serves.

mod session;
mod stream;

use std::{
    io,
    sync::{Arc, RwLock},
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    ServerConfig, crypto::aws_lc_rs, pki_types::pem::PemObject, server::NoServerSessionStorage,
};
use sluice_util::{read, write};
use thiserror::Error;

pub(crate) use self::stream::{Detached, TlsStream};

/// Why a certificate cannot be served.
#[derive(Debug, Error)]
pub enum TlsError {
    /// The certificate chain is not PEM.
    #[error("the certificate is not a PEM chain ({0}); put the chain into tls.crt, leaf first")]
    Certificate(String),
    /// The private key is not PEM.
    #[error("the private key is not PEM ({0}); put an unencrypted key into tls.key")]
    Key(String),
    /// rustls refuses the two together.
    #[error("the certificate and its key cannot be used ({0}); check that they belong together")]
    Pair(#[from] rustls::Error),
}

/// The certificate that new handshakes get. Cheap to clone; all clones see an exchange.
#[derive(Debug, Clone)]
pub struct Certificate(Arc<RwLock<Arc<ServerConfig>>>);

impl Certificate {
    /// Serves the PEM chain and key.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Ok(Self(Arc::new(RwLock::new(config(chain, key)?))))
    }

    /// Serves another chain and key from the next handshake on. Connections that are open keep
    /// what they agreed on. An unusable pair changes nothing.
    pub fn exchange(&self, chain: &[u8], key: &[u8]) -> Result<(), TlsError> {
        let config = config(chain, key)?;
        *write(&self.0) = config;
        Ok(())
    }

    /// What a handshake that begins now is done with.
    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&read(&self.0))
    }
}

fn config(chain: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| TlsError::Certificate(e.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| TlsError::Key(e.to_string()))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.send_half_rtt_data = false;
    // A client that comes back brings its session along in one encrypted ticket: it is spared the
    // signature, and nothing is kept for it here.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

impl From<TlsError> for io::Error {
    fn from(e: TlsError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, e)
    }
}
