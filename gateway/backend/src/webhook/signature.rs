//! How a backend can tell that a request comes from here, and when it was made.

use std::fmt::Write;

use aws_lc_rs::hmac;

/// The header that carries [`sign`]'s result.
pub(super) const SIGNATURE: &str = "sluice-signature";
/// The header that carries a request's id, the same at every try.
pub(super) const DELIVERY: &str = "sluice-delivery";

/// `t=<Unix seconds>,v1=<HMAC-SHA-256 of "<Unix seconds>.<body>", in hexadecimal>`.
pub(super) fn sign(key: &hmac::Key, unix: u64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(format!("{unix}.").as_bytes());
    context.update(body);
    let mut signature = format!("t={unix},v1=");
    for byte in context.sign().as_ref() {
        // Writing to a String cannot fail.
        let _ = write!(signature, "{byte:02x}");
    }
    signature
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_that_openssl_makes() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"0123456789abcdef");
        let expected =
            "t=1700000000,v1=f5d276b7e4d77fbea5023d61daa5ec489449192f75c0cc9dea3df40aa3056733";
        assert_eq!(sign(&key, 1_700_000_000, br#"{"type":"event"}"#), expected);
    }
}
