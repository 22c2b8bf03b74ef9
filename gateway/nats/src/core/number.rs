//! Gateways by number, as they are written in subjects and payloads.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::Names;

/// A gateway's number: eight hexadecimal digits where it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Number(pub(crate) u32);

impl Number {
    /// Reads what [`fmt::Display`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let digits = text.len() == 8 && text.bytes().all(digit);
        digits
            .then(|| u32::from_str_radix(text, 16).ok().map(Self))
            .flatten()
    }

    /// Where calls to the gateway go: `<prefix>.gw.<number>.<kind>`.
    pub(crate) fn subject(self, names: &Names, kind: &str) -> String {
        format!("{}.gw.{self}.{kind}", names.prefix())
    }
}

/// Where all gateways listen: `<prefix>.<kind>`.
pub(crate) fn everyone(names: &Names, kind: &str) -> String {
    format!("{}.{kind}", names.prefix())
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not the number of a gateway"))
    }
}

/// What gateways tell each other, as JSON.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    // Nothing of ours has keys that are no text, which is all that could fail.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_reads_back_as_it_was_written() {
        for number in [0, 0x1a2b_3c4d, u32::MAX] {
            let text = Number(number).to_string();
            assert_eq!(
                (text.len(), Number::parse(&text)),
                (8, Some(Number(number)))
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
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }
}
