//! 64 bits that stand for a text.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The first 64 bits of a SHA-256 (FIPS 180-4), in network order: the same at every gateway, in
/// every version. Enough to tell names and documents apart by; too short where somebody gains by
/// finding two texts with one digest, so never for keys or tokens.
///
/// ```
/// use sluice_util::Digest64;
///
/// let digest = Digest64::of("");
/// assert_eq!(digest.bits(), 0xe3b0_c442_98fc_1c14);
/// assert_eq!(digest.to_string(), "e3b0c44298fc1c14");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest64(u64);

impl Digest64 {
    /// The digest of some bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self::of_parts([bytes])
    }

    /// The digest of several parts, one after the other with nothing between them.
    pub fn of_parts(parts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        let first = hash.finalize().into_iter().take(8);
        Self(first.fold(0, |bits, byte| bits << 8 | u64::from(byte)))
    }

    /// The digest as a number.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// Sixteen hexadecimal digits in lower case.
impl fmt::Display for Digest64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_beginning_of_a_sha_256() {
        // FIPS 180-2, appendix B.1: ba7816bf 8f01cfea 414140de …
        let digest = Digest64::of("abc");
        assert_eq!(digest.bits(), 0xba78_16bf_8f01_cfea);
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea");
    }

    #[test]
    fn parts_are_digested_as_the_whole_is() {
        assert_eq!(Digest64::of_parts(["a", "b", "", "c"]), Digest64::of("abc"));
        assert_ne!(Digest64::of("ab"), Digest64::of("abc"));
    }

    #[test]
    fn zeros_at_its_beginning_are_written() {
        assert_eq!(Digest64(7).to_string(), "0000000000000007");
    }
}
