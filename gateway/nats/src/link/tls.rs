//! TLS for a link, by rustls: the system's certificate authorities, and perhaps one more.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig,
    crypto::aws_lc_rs,
    pki_types::{
        CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName,
        pem::{self, PemObject},
    },
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
    #[error("{file} cannot be read: {why}")]
    File { file: PathBuf, why: pem::Error },
    #[error("{0}")]
    Handshake(#[from] std::io::Error),
}

/// Encrypts connections.
#[derive(Debug)]
pub(super) struct Tls {
    extra: Vec<CertificateDer<'static>>,
    /// Where there are more, which may change.
    folder: Option<PathBuf>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    pub(super) fn new(ca: Option<&str>, folder: Option<PathBuf>) -> Result<Self, CaError> {
        let extra = CertificateDer::pem_slice_iter(ca.unwrap_or_default().as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| CaError(error.to_string()))?;
        if ca.is_some() && extra.is_empty() {
            return Err(CaError("there is no certificate".to_owned()));
        }
        Ok(Self {
            extra,
            folder,
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

    /// Made when it is needed first, as reading the system's authorities takes some milliseconds;
    /// and each time where it may have changed.
    fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        if let Some(folder) = &self.folder {
            let mut extra = self.extra.clone();
            extra.extend(certificates(&folder.join("ca.crt"))?);
            return Ok(Arc::new(configured(extra, own(folder)?)?));
        }
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let config = configured(self.extra.clone(), None)?;
        Ok(Arc::clone(self.config.get_or_init(|| Arc::new(config))))
    }
}

/// A client's own certificate with those that lead to its authority, and its key.
type Own = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn configured(
    extra: Vec<CertificateDer<'static>>,
    own: Option<Own>,
) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        // The dangerous part would be a verifier of our own; this is the system's.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match own {
        Some((chain, key)) => config.with_client_auth_cert(chain, key),
        None => Ok(config.with_no_client_auth()),
    }
}

/// The certificates in a file; none where there is no file.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    read.map_err(|why| unreadable(file, why))
}

fn own(folder: &Path) -> Result<Option<Own>, TlsError> {
    let chain = certificates(&folder.join("tls.crt"))?;
    if chain.is_empty() {
        return Ok(None);
    }
    let file = folder.join("tls.key");
    let key = PrivateKeyDer::from_pem_file(&file).map_err(|why| unreadable(&file, why))?;
    Ok(Some((chain, key)))
}

fn unreadable(file: &Path, why: pem::Error) -> TlsError {
    TlsError::File {
        file: file.to_owned(),
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_that_cannot_be_read_are_refused_at_once() {
        assert!(Tls::new(None, None).is_ok());
        for ca in ["", "-----BEGIN CERTIFICATE-----\nx"] {
            assert_eq!(
                Tls::new(Some(ca), None).unwrap_err().code(),
                "nats_ca_invalid"
            );
        }
    }
}
