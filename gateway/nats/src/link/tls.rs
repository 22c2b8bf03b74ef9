//! TLS for a link, by rustls: the system's certificate authorities, and perhaps one more.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, InvalidDnsNameError, ServerName, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The certificates to trust cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the certificates to trust for NATS are not PEM ({0}); give the authority's ca.crt")]
pub struct CaError(String);

impl CaError {
    /// The stable code for logs and counters.
    pub const fn code(&self) -> &'static str {
        "nats_ca_invalid"
    }
}

/// Why a connection cannot be encrypted.
#[derive(Debug, Error)]
pub(super) enum TlsError {
    #[error("the name is none that a certificate can have")]
    Name(#[from] InvalidDnsNameError),
    #[error("{0}")]
    Config(#[from] rustls::Error),
    #[error("{0}")]
    Handshake(#[from] std::io::Error),
}

/// Encrypts connections.
#[derive(Debug)]
pub(super) struct Tls {
    extra: Vec<CertificateDer<'static>>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    pub(super) fn new(ca: Option<&str>) -> Result<Self, CaError> {
        let extra = CertificateDer::pem_slice_iter(ca.unwrap_or_default().as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| CaError(error.to_string()))?;
        if ca.is_some() && extra.is_empty() {
            return Err(CaError("there is no certificate".to_owned()));
        }
        Ok(Self {
            extra,
            config: OnceLock::new(),
        })
    }

    pub(super) async fn wrap(
        &self,
        stream: TcpStream,
        name: &str,
    ) -> Result<TlsStream<TcpStream>, TlsError> {
        let name = ServerName::try_from(name.to_owned())?;
        let connector = TlsConnector::from(self.config()?);
        Ok(connector.connect(name, stream).await?)
    }

    /// Made when it is needed first: reading the system's authorities takes some milliseconds.
    fn config(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(self.extra.clone(), Arc::clone(&provider))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            // The dangerous part would be a verifier of our own; this is the system's.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Arc::clone(self.config.get_or_init(|| Arc::new(config))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_that_cannot_be_read_are_refused_at_once() {
        assert!(Tls::new(None).is_ok());
        for ca in ["", "-----BEGIN CERTIFICATE-----\nx"] {
            assert_eq!(Tls::new(Some(ca)).unwrap_err().code(), "nats_ca_invalid");
        }
    }
}
