//! Gateways by number, as they are written in subjects and payloads.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A gateway's number, which it takes anew each time it starts: eight hexadecimal digits in lower
/// case where it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GatewayNumber(pub u32);

impl GatewayNumber {
    /// Reads what [`fmt::Display`] wrote; `None` where it wrote no such thing.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let digits = text.len() == 8 && text.bytes().all(digit);
        digits
            .then(|| u32::from_str_radix(text, 16).ok().map(Self))
            .flatten()
    }
}

impl fmt::Display for GatewayNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl Serialize for GatewayNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GatewayNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not the number of a gateway"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_as_it_was_written() {
        for number in [0, 0x1a2b_3c4d, u32::MAX] {
            let text = GatewayNumber(number).to_string();
            assert_eq!(
                (text.len(), GatewayNumber::parse(&text)),
                (8, Some(GatewayNumber(number)))
            );
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "1a2b3c4",
            "1a2b3c4d5",
            "1A2B3C4D",
            "+a2b3c4d",
            "1a2b3c4ž",
        ] {
            assert_eq!(GatewayNumber::parse(text), None, "{text}");
        }
    }
}
