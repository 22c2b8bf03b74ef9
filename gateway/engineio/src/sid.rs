//! Session ids that say where a session lives.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sluice_codec::peer::SidBytes;

const LEN: usize = size_of::<SidBytes>();

/// The id of an Engine.IO session: its gateway, its worker, its place there, and 96 random bits.
///
/// Whoever knows a sid can poll its session, so the random part makes it a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sid {
    /// The number of the gateway that owns the session.
    pub gateway: u32,
    /// The worker within it.
    pub worker: u8,
    /// The place in the worker's table.
    pub slot: u32,
    nonce: [u8; 12],
}

impl Sid {
    /// A new id for the session at `slot`.
    pub fn random(gateway: u32, worker: u8, slot: u32) -> Self {
        Self {
            gateway,
            worker,
            slot,
            nonce: rand::random(),
        }
    }

    /// Reads an id as clients send it; `None` where it is not one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; LEN + 2];
        let len = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        let bytes = bytes.first_chunk().filter(|_| len == LEN)?;
        Some(Self::from_bytes(*bytes))
    }

    /// The id that these bytes are.
    pub(crate) fn from_bytes(bytes: SidBytes) -> Self {
        let [g0, g1, g2, g3, worker, s0, s1, s2, s3, nonce @ ..] = bytes;
        Self {
            gateway: u32::from_be_bytes([g0, g1, g2, g3]),
            worker,
            slot: u32::from_be_bytes([s0, s1, s2, s3]),
            nonce,
        }
    }

    /// The id as bytes.
    pub(crate) fn bytes(self) -> SidBytes {
        let mut bytes = SidBytes::default();
        bytes[..4].copy_from_slice(&self.gateway.to_be_bytes());
        bytes[4] = self.worker;
        bytes[5..9].copy_from_slice(&self.slot.to_be_bytes());
        bytes[9..].copy_from_slice(&self.nonce);
        bytes
    }
}

impl std::fmt::Display for Sid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.bytes()))
    }
}

impl std::fmt::Debug for Sid {
    /// Without the secret part, for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sid({:08x}.{}.{})", self.gateway, self.worker, self.slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_reads_back_as_it_was_written() {
        let sid = Sid::random(7, 3, 70_000);
        assert_eq!(Sid::parse(&sid.to_string()), Some(sid));
    }

    #[test]
    fn what_is_not_a_sid_is_refused() {
        for text in [
            "",
            "abc",
            "é",
            &"A".repeat(27),
            &"A".repeat(29),
            &"A".repeat(4000),
        ] {
            assert_eq!(Sid::parse(text), None, "{text:.10}");
        }
    }

    #[test]
    fn a_sid_is_logged_without_its_secret() {
        let sid = Sid::random(7, 3, 1);
        assert_eq!(format!("{sid:?}"), "Sid(00000007.3.1)");
    }
}
