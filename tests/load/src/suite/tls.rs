//! A certificate for 127.0.0.1 that lives as long as one run of the suite.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::error::LoadError;

/// Where the certificate is, in the forms that the servers take it.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// The Secret that `tests/bench/sluice-tls.yaml` names.
const SECRET: &str = "bench-tls";

impl Certificate {
    /// Writes a new one below `directory`, and beside it the gateway's configuration for TLS: a
    /// copy of `cluster` with the Secret.
    pub(crate) fn write(directory: &Path, cluster: &Path) -> Result<Self, LoadError> {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
            .map_err(|error| LoadError::Tls(error.to_string()))?;
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        // JSON is YAML.
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {"name": SECRET},
            "stringData": {"tls.crt": certificate, "tls.key": key},
        });
        let config = directory.join("config");
        fs::create_dir_all(&config)?;
        fs::copy(cluster, config.join("cluster.yaml")).map_err(|source| LoadError::Read {
            path: cluster.to_owned(),
            source,
        })?;
        fs::write(config.join("secret.yaml"), secret.to_string())?;
        let paths = Self {
            certificate: directory.join("tls.crt"),
            key: directory.join("tls.key"),
        };
        fs::write(&paths.certificate, certificate)?;
        fs::write(&paths.key, key)?;
        Ok(paths)
    }
}
