//! Which of the histories that the rooms' stream has held it holds now.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Decoded, WireVersion, decoded};

/// What says in the rooms' stream that its history has begun anew, though the stream is the one that
/// it was: its store was put back to an older copy, and offsets are given a second time.
///
/// The last one under the subject of [`Names::EPOCH`](crate::Names::EPOCH) counts. Without one, the
/// epoch follows from the stream's name and from when it was made. Gateways of 0.1.0 do not read it.
///
/// ```
/// use sluice_contract::{Decoded, EpochMark};
///
/// let mark = EpochMark {
///     epoch: "00000000000000ff".into(),
///     created: "2026-11-23T10:00:00Z".into(),
/// };
/// let written = br#"{"epoch":"00000000000000ff","created":"2026-11-23T10:00:00Z"}"#;
/// assert_eq!(mark.encode(), written);
/// assert_eq!(EpochMark::decode(written), Decoded::Known(mark));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochMark<'a> {
    /// The history's identity from here on: 16 hexadecimal digits.
    #[serde(borrow)]
    pub epoch: Cow<'a, str>,
    /// When the stream was made, as NATS says it. A mark that came from another stream, with a
    /// backup, says nothing of this one.
    #[serde(borrow)]
    pub created: Cow<'a, str>,
}

impl EpochMark<'_> {
    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        // Text can always be written to memory.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl<'a> EpochMark<'a> {
    /// Reads what any version wrote.
    pub fn decode(bytes: &'a [u8]) -> Decoded<Self> {
        decoded::json(bytes, |_| WireVersion::FIRST)
    }
}
