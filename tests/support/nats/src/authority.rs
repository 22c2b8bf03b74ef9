//! Certificates for servers and for clients.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::{Folder, Settings};

/// Who signs certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Default for Authority {
    fn default() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }
}

impl Authority {
    /// Puts a new certificate for `name` and its key into a folder, as `tls.crt` and `tls.key`, and
    /// the certificate of this authority as `ca.crt`.
    pub fn sign(&self, name: &str, folder: &Path) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        for (file, text) in [
            ("ca.crt", self.certificate.clone()),
            ("tls.crt", certificate.pem()),
            ("tls.key", key.serialize_pem()),
        ] {
            fs::write(folder.join(file), text).unwrap();
        }
    }

    /// The settings of a server with a certificate in `folder` that lets in only whom this authority
    /// has signed.
    pub fn mutual(&self, folder: &Folder) -> Settings {
        self.sign("127.0.0.1", folder.path());
        let folder = folder.path().display();
        Settings::default().config(&format!(
            "tls {{ cert_file: \"{folder}/tls.crt\", key_file: \"{folder}/tls.key\", ca_file: \"{folder}/ca.crt\", verify: true }}"
        ))
    }
}
