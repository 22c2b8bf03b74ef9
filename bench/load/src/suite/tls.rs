//! A certificate for 127.0.0.1 that lives as long as one run of the suite.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::LoadError;

/// Where the certificate is, in the forms that the servers take it.
#[derive(Debug)]
pub(crate) struct Certificate {
    /// The certificate, which is its own authority.
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
    /// The gateway's configuration with this certificate.
    pub(crate) config: PathBuf,
}

impl Certificate {
    /// Writes a new one below `directory`, and beside it `config`, the gateway's, with it.
    pub(crate) fn write(directory: &Path, config: &Path) -> Result<Self, LoadError> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
            .map_err(|error| LoadError::Tls(error.to_string()))?;
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let plain = fs::read_to_string(config).map_err(|source| LoadError::Read {
            path: config.to_owned(),
            source,
        })?;
        let paths = Self {
            chain: directory.join("tls.crt"),
            key: directory.join("tls.key"),
            config: directory.join("sluice-tls.yaml"),
        };
        fs::write(&paths.config, with_tls(&plain, &certificate, &key))?;
        fs::write(&paths.chain, certificate)?;
        fs::write(&paths.key, key)?;
        Ok(paths)
    }
}

/// The documents with `tls` in the first one's spec, and the Secret it names behind them.
fn with_tls(documents: &str, certificate: &str, key: &str) -> String {
    let documents = documents.replacen("\nspec:\n", "\nspec:\n  tls: {secretName: bench-tls}\n", 1);
    // JSON is YAML.
    let secret = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "bench-tls"},
        "stringData": {"tls.crt": certificate, "tls.key": key},
    });
    format!("{documents}---\n{secret}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_crds::load::{Source, load};

    const PLAIN: &str = include_str!("../../../sluice.yaml");
    const KEY: &str = include_str!("../../../hs256.key");

    #[test]
    fn the_gateways_configuration_is_valid_and_has_the_generators_key() {
        let documents = load(&[Source {
            name: "sluice.yaml",
            text: PLAIN,
        }])
        .unwrap();
        let jwt = documents.cluster.spec.auth.jwt.as_ref().unwrap();
        let key = documents.secret_value(jwt.key_secret_ref.as_ref().unwrap());
        assert_eq!(key, Some(KEY.trim_end().as_bytes()));
    }

    #[test]
    fn the_configuration_for_tls_is_valid_and_has_the_certificate() {
        let text = with_tls(PLAIN, "a certificate\n", "a key\n");
        let documents = load(&[Source {
            name: "sluice-tls.yaml",
            text: &text,
        }])
        .unwrap();
        let name = &documents.cluster.spec.tls.as_ref().unwrap().secret_name;
        let secret = documents.secret(name).unwrap();
        assert_eq!(secret.get("tls.crt"), Some(b"a certificate\n".as_slice()));
        assert_eq!(secret.get("tls.key"), Some(b"a key\n".as_slice()));
    }
}
