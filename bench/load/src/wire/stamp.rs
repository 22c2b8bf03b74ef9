//! The data of a publication: a JSON string that carries its number and its intended send time.

/// Bytes of a stamp's digits; what follows them is padding.
const DIGITS: usize = 24;
/// The fewest bytes that hold a stamp and its quotes.
pub(crate) const SMALLEST: usize = DIGITS + 2;
/// How a delivered publication begins in Socket.IO.
const PREFIX: &[u8] = br#"["message",""#;

/// What a delivery is recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) sequence: u32,
    /// Nanoseconds since the generator's start at which the publication was due.
    pub(crate) intended: u64,
}

impl Stamp {
    /// Overwrites `data` with this stamp, keeping its length.
    ///
    /// `data` comes from [`blank`].
    pub(crate) fn write(self, data: &mut [u8]) {
        let time = (0..16).map(|digit| (self.intended >> (60 - 4 * digit)) as u8);
        let number = (0..8).map(|digit| (self.sequence >> (28 - 4 * digit)) as u8);
        for (byte, value) in data.iter_mut().skip(1).zip(number.chain(time)) {
            *byte = b'a' + (value & 0x0f);
        }
    }

    /// Reads the stamp of a delivered event, or of its data alone; `None` when it is not one of
    /// ours.
    pub(crate) fn read(event: &[u8]) -> Option<Self> {
        let data = event.strip_prefix(PREFIX);
        let data = data.or_else(|| event.strip_prefix(b"\""))?;
        let digits = data.first_chunk::<DIGITS>()?;
        let (number, time) = digits.split_at(8);
        Some(Self {
            sequence: value(number) as u32,
            intended: value(time),
        })
    }
}

fn value(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |value, digit| {
        (value << 4) | u64::from(digit.wrapping_sub(b'a') & 0x0f)
    })
}

/// A JSON string of `size` bytes, quotes included, with room for a stamp.
pub(crate) fn blank(size: usize) -> Vec<u8> {
    let mut data = vec![b'x'; size.max(SMALLEST)];
    if let [first, .., last] = data.as_mut_slice() {
        *first = b'"';
        *last = b'"';
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_stamp_is_read_back_from_the_event_that_delivers_it(
            sequence: u32, intended: u64, size in 0_usize..300,
        ) {
            let stamp = Stamp { sequence, intended };
            let mut data = blank(size);
            stamp.write(&mut data);
            let event = [PREFIX.split_last().unwrap().1, &data, b"]"].concat();
            prop_assert_eq!(Stamp::read(&event), Some(stamp));
            prop_assert_eq!(data.len(), size.max(SMALLEST));
        }
    }

    #[test]
    fn other_events_have_no_stamp() {
        assert_eq!(Stamp::read(br#"["presence",{"room":"r"}]"#), None);
        assert_eq!(Stamp::read(br#"["message","short"]"#), None);
    }
}
