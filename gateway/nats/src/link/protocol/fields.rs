//! The fields of a control line.

use std::ops::Range;

/// More than any operation has.
const MOST: usize = 5;

/// Where the fields of a line are; blanks and tabs stand between them.
pub(super) struct Fields {
    ranges: [Range<usize>; MOST],
    count: usize,
}

impl Fields {
    /// The fields of `line` from `start` on. `None` where they are more than any operation has.
    pub(super) fn split(line: &[u8], start: usize) -> Option<Self> {
        let mut fields = Self {
            ranges: Default::default(),
            count: 0,
        };
        let mut at = start;
        for part in line
            .get(start..)?
            .split(|byte| matches!(byte, b' ' | b'\t'))
        {
            if !part.is_empty() {
                *fields.ranges.get_mut(fields.count)? = at..at + part.len();
                fields.count += 1;
            }
            at += part.len() + 1;
        }
        Some(fields)
    }

    /// Where each field is.
    pub(super) fn as_slice(&self) -> &[Range<usize>] {
        self.ranges.get(..self.count).unwrap_or_default()
    }
}

/// A number of digits and nothing else.
pub(super) fn number<N: TryFrom<u64>>(digits: &[u8]) -> Option<N> {
    if digits.is_empty() {
        return None;
    }
    let mut number = 0_u64;
    for byte in digits {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number = number.checked_mul(10)?.checked_add(digit)?;
    }
    N::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_tabs_stand_between_fields() {
        let line = b"MSG  a\t b ";
        let fields = Fields::split(line, 3).unwrap();
        let texts: Vec<_> = fields.as_slice().iter().map(|r| &line[r.clone()]).collect();
        assert_eq!(texts, [b"a", b"b"]);
        assert!(Fields::split(b"1 2 3 4 5 6", 0).is_none());
        assert!(Fields::split(b"", 0).unwrap().as_slice().is_empty());
    }

    #[test]
    fn a_number_is_digits_within_its_range() {
        assert_eq!(number::<u64>(b"007"), Some(7));
        assert_eq!(number::<u64>(b"18446744073709551615"), Some(u64::MAX));
        for text in ["", "+1", "-1", "1 ", "x", "18446744073709551616"] {
            assert_eq!(number::<u64>(text.as_bytes()), None, "{text}");
        }
        assert_eq!(number::<u8>(b"256"), None);
    }
}
