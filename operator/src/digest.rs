//! What is the same where something is.

use std::fmt::Write as _;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// The first 16 hexadecimal digits of the SHA-256 of something's JSON, with the keys of maps in
/// order.
pub fn digest(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    let mut digits = String::with_capacity(16);
    for byte in &Sha256::digest(value.to_string())[..8] {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
