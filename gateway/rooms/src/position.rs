//! Where a message stands.

use std::fmt;

/// The identity of a history: offsets of different epochs have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// A new identity, by chance.
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// The identity that a backend derives from its own.
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        digits
            .then(|| u64::from_str_radix(text, 16).ok().map(Self))
            .flatten()
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A message's place: its offset within an epoch.
///
/// Offsets grow within a room, and across all rooms of a backbone; they need not be consecutive.
/// As text it is what the stock Socket.IO client keeps of the last message it got, and sends back
/// to recover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// The identity of the history that the offset is of.
    pub epoch: Epoch,
    /// Where in it; the first message has 1.
    pub offset: u64,
}

impl Position {
    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, offset) = text.split_once('-')?;
        Some(Self {
            epoch: Epoch::parse(epoch)?,
            offset: offset.parse().ok()?,
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_it_was_written() {
        let position = Position {
            epoch: Epoch::random(),
            offset: 42,
        };
        assert_eq!(Position::parse(&position.to_string()), Some(position));
    }

    #[test]
    fn what_is_not_a_position_is_refused() {
        for text in [
            "",
            "1",
            "-",
            "0000000000000000",
            "000000000000000g-1",
            "+000000000000001-1",
        ] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }
}
