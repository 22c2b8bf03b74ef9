//! Up to which wire version the rollouts of a cluster are finalised, as its bucket says.

use serde::{Deserialize, Serialize};

use crate::{Decoded, WireVersion, decoded};

/// The entry of a cluster's bucket that says up to which wire version rollouts are finalised.
/// Without it that is the first. Gateways of 0.1.0 do not read it.
///
/// ```
/// use sluice_contract::{Decoded, Finalised, WireVersion};
///
/// let entry = Finalised { version: WireVersion(2) };
/// assert_eq!(entry.encode(), br#"{"version":2}"#);
/// assert_eq!(Finalised::decode(&entry.encode()), Decoded::Known(entry));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finalised {
    /// The greatest version whose forms may be written, once all gateways read them.
    pub version: WireVersion,
}

impl Finalised {
    /// Its key in the bucket.
    pub const KEY: &'static str = "wire";

    /// Writes it, as an entry of the bucket.
    pub fn encode(&self) -> Vec<u8> {
        // A number can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads an entry that any version wrote. One that names a newer wire version than this
    /// version of the project reads is known all the same: that is what it is for.
    pub fn decode(bytes: &[u8]) -> Decoded<Self> {
        decoded::json(bytes, |_| WireVersion::FIRST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_understood_that_names_a_version_which_this_one_does_not_read() {
        let read = |text: &str| Finalised::decode(text.as_bytes());
        let version = WireVersion(WireVersion::CURRENT.0 + 1);
        let more = format!(r#"{{"version":{},"by":"ann"}}"#, version.0);
        assert_eq!(read(&more), Decoded::Known(Finalised { version }));
        assert_eq!(read(r#"{"versions":[1],"wire":99}"#), Decoded::Newer);
        for garbage in ["", "1", "{}", r#"{"version":"x"}"#] {
            assert_eq!(read(garbage), Decoded::Garbage, "{garbage}");
        }
    }
}
