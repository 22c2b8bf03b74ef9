//! How far a client has got what instances emit.

use std::fmt;

/// What stands before a mark, behind what a client has read of histories.
const BEFORE: char = ';';

/// A place in what one gateway was told to emit since it began. It goes with what is emitted, the
/// stock client keeps the last one that it got, and says it when it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Which log it is a place in: no other gateway has the same, nor this one once it began anew.
    pub log: u64,
    /// The number of the last one that was got.
    pub seq: u64,
}

impl Mark {
    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (log, seq) = text.strip_prefix(BEFORE)?.split_once('-')?;
        let digits = log.len() == 16 && log.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(Self {
            log: digits
                .then(|| u64::from_str_radix(log, 16).ok())
                .flatten()?,
            seq: seq.parse().ok()?,
        })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BEFORE}{:016x}-{}", self.log, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_and_nothing_else_is_one() {
        let mark = Mark { log: 0xa7, seq: 12 };
        assert_eq!(mark.to_string(), ";00000000000000a7-12");
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
        for text in [
            "",
            ";",
            ";a7-12",
            "00000000000000a7-12",
            ";00000000000000a7-",
            ";00000000000000a7-x",
            ";+0000000000000a7-1",
        ] {
            assert_eq!(Mark::parse(text), None, "{text}");
        }
    }
}
