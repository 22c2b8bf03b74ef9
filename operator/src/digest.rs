//! What is the same where something is.

use serde::Serialize;

/// The digest of something's JSON, with the keys of maps in order; see [`sluice_bucket::digest`].
pub(crate) fn digest(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    sluice_bucket::digest(&value.to_string()).into()
}
