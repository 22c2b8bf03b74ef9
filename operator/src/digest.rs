//! What is the same where something is.

use serde::Serialize;
use sluice_util::Digest64;

/// The digest of something's JSON, with the keys of maps in order; see [`Digest64`].
pub(crate) fn digest(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    Digest64::of(value.to_string()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_digest_is_the_same_in_every_version_and_in_whatever_order_keys_are_written() {
        // Of {"a":[1,"b"],"z":null}.
        let digest = digest(&json!({"z": null, "a": [1, "b"]}));
        assert_eq!(digest, "6bee7992ae4ded29");
    }
}
