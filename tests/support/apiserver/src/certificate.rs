//! The server's certificate and the key that it signs tokens with.

use std::{fs, path::Path};

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

/// Writes `server.crt`, `server.key` `accounts.key` and `accounts.pub` into a folder.
pub(crate) fn write(folder: &Path) {
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(names).expect("a certificate can be made");
    let accounts = KeyPair::generate().expect("a key can be made");
    let put = |name: &str, text: String| {
        fs::write(folder.join(name), text).expect("a file can be written");
    };
    put("server.crt", cert.pem());
    put("server.key", signing_key.serialize_pem());
    put("accounts.key", accounts.serialize_pem());
    put("accounts.pub", accounts.public_key_pem());
}
