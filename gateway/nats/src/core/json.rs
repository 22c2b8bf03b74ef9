//! What gateways tell each other, as JSON.

use serde::Serialize;

/// What gateways tell each other, as JSON.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    // Nothing of ours has keys that are no text, which is all that could fail.
    serde_json::to_vec(value).unwrap_or_default()
}
