//! Session ids that say where a session lives.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use sluice_codec::peer::SidBytes;

const LEN: usize = size_of::<SidBytes>();

/// The id of an Engine.IO session: its gateway, its worker, its place there, 48 random bits, and
/// 48 bits by which gateways that know the key of its gateway see that the gateway has made it.
///
/// Whoever knows a sid can poll its session. To guess one is to guess 96 bits: nobody can make the
/// last 48 without the key.
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

/// What a gateway makes its sids with, and tells only the gateways of its fleet.
#[derive(Clone, Copy)]
pub(crate) struct SidKey([u8; 16]);

impl SidKey {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// The key as another gateway tells it; `None` where that has none, as those of 0.1.0.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&self.0)
    }

    /// Whether a sid was made with this key.
    pub(crate) fn made(&self, sid: Sid) -> bool {
        sid.seal(self) == sid.nonce[UNSEALED..]
    }
}

impl std::fmt::Debug for SidKey {
    /// Without the key, for logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SidKey")
    }
}

/// How much of a sid's random part the key has no part in, in bytes.
const UNSEALED: usize = 6;

impl Sid {
    /// A new id for the session at `slot`.
    pub(crate) fn new(key: &SidKey, gateway: u32, worker: u8, slot: u32) -> Self {
        let mut sid = Self {
            gateway,
            worker,
            slot,
            nonce: rand::random(),
        };
        let seal = sid.seal(key);
        sid.nonce[UNSEALED..].copy_from_slice(&seal);
        sid
    }

    /// The last bytes that the sid has if the key has made it: a part of the HMAC (RFC 2104) with
    /// SHA-256 of all bytes before them.
    fn seal(self, key: &SidKey) -> [u8; 12 - UNSEALED] {
        let mut seal = [0; 12 - UNSEALED];
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key.0) {
            mac.update(&self.bytes()[..LEN - seal.len()]);
            let mac = mac.finalize().into_bytes();
            seal.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        }
        seal
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
    fn a_key_knows_what_it_has_made_and_nothing_else() {
        let (key, other) = (SidKey::random(), SidKey::random());
        let sid = Sid::new(&key, 7, 3, 70_000);
        assert!(key.made(sid) && !other.made(sid));
        assert!(SidKey::read(&key.bytes()).unwrap().made(sid));
        for at in 0..LEN {
            let mut bytes = sid.bytes();
            bytes[at] ^= 1;
            assert!(!key.made(Sid::from_bytes(bytes)), "byte {at}");
        }
        assert!(SidKey::read(b"").is_none());
    }

    #[test]
    fn a_sid_reads_back_as_it_was_written() {
        let sid = Sid::new(&SidKey::random(), 7, 3, 70_000);
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
        let sid = Sid::new(&SidKey::random(), 7, 3, 1);
        assert_eq!(format!("{sid:?}"), "Sid(00000007.3.1)");
    }
}
