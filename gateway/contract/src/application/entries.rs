//! Reading entries from a stream that comes in pieces.

use bytes::{Buf as _, Bytes, BytesMut};

use super::MAX_ENTRY;

/// The most bytes of an entry's first line.
const MAX_LINE: usize = 1024;

/// The bytes are no stream of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// An entry that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    line: Bytes,
    /// Its bodies: views of what was read.
    pub bodies: Vec<Bytes>,
}

impl Read {
    /// Its kind.
    pub fn kind(&self) -> &str {
        self.words().next().unwrap_or_default()
    }

    /// Its field of that place, from 0; none where it has none there.
    pub fn field(&self, at: usize) -> Option<&str> {
        self.words().nth(at + 2).filter(|word| *word != "-")
    }

    /// Its field of that place, where it is a number.
    pub fn number(&self, at: usize) -> Option<u64> {
        self.field(at)?.parse().ok()
    }

    /// Its body of that place as JSON of a form; none where it is of another.
    pub fn json<'a, T: serde::Deserialize<'a>>(&'a self, at: usize) -> Option<T> {
        serde_json::from_slice(self.bodies.get(at)?).ok()
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        // The line was found to be text when it was read.
        std::str::from_utf8(&self.line)
            .unwrap_or_default()
            .split(' ')
    }
}

/// The entries of one direction of a stream.
#[derive(Debug, Default)]
pub struct Entries {
    rest: BytesMut,
}

impl Entries {
    /// The next piece of the stream came.
    pub fn put(&mut self, piece: &[u8]) {
        self.rest.extend_from_slice(piece);
    }

    /// The next entry, once all of it is there.
    ///
    /// # Errors
    /// Where the stream has no entry here. Nothing can be read behind that.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator would have ended"
    )]
    pub fn next(&mut self) -> Result<Option<Read>, Malformed> {
        let head = &self.rest[..self.rest.len().min(MAX_LINE)];
        let Some(end) = head.iter().position(|byte| *byte == b'\n') else {
            return if head.len() < MAX_LINE {
                Ok(None)
            } else {
                Err(Malformed)
            };
        };
        let lengths = lengths(&head[..end])?;
        let whole = lengths
            .iter()
            .try_fold(end + 1, |sum, length| sum.checked_add(*length));
        let whole = whole.filter(|whole| *whole <= MAX_ENTRY).ok_or(Malformed)?;
        if self.rest.len() < whole {
            return Ok(None);
        }
        let mut entry = self.rest.split_to(whole).freeze();
        let line = entry.split_to(end);
        entry.advance(1);
        let bodies = lengths
            .into_iter()
            .map(|length| entry.split_to(length))
            .collect();
        if self.rest.is_empty() {
            // What was read keeps its memory as long as somebody has a part of it.
            self.rest = BytesMut::new();
        }
        Ok(Some(Read { line, bodies }))
    }

    /// How many bytes wait for the rest of their entry.
    pub fn waiting(&self) -> usize {
        self.rest.len()
    }
}

fn lengths(line: &[u8]) -> Result<Vec<usize>, Malformed> {
    let line = std::str::from_utf8(line).map_err(|_| Malformed)?;
    let lengths = line.split(' ').nth(1).ok_or(Malformed)?;
    if lengths == "-" {
        return Ok(Vec::new());
    }
    let lengths = lengths.split(',').map(str::parse);
    lengths.collect::<Result<_, _>>().map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::Entry;
    use proptest::prelude::*;

    #[test]
    fn a_kind_of_a_newer_version_is_skipped_by_its_lengths() {
        let mut entries = Entries::default();
        entries.put(b"later 3,2 a b c\nxyz\n\nfence - 7\n");
        let later = entries.next().unwrap().unwrap();
        assert_eq!((later.kind(), later.bodies.len()), ("later", 2));
        let fence = entries.next().unwrap().unwrap();
        assert_eq!(
            (fence.kind(), fence.number(0), fence.number(1)),
            ("fence", Some(7), None)
        );
        assert_eq!((entries.next(), entries.waiting()), (Ok(None), 0));
    }

    #[test]
    fn what_is_no_entry_is_an_error() {
        for text in [
            "fence\n",
            "fence x\n",
            "fence 1,\n",
            "fence -1\n",
            "\n",
            "fence 99999999999999999999\n",
            "fence 99999999\n",
            &"x".repeat(1024),
        ] {
            let mut entries = Entries::default();
            entries.put(text.as_bytes());
            assert_eq!(entries.next(), Err(Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn entries_read_back_wherever_the_pieces_end(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..4),
            pieces in prop::collection::vec(1_usize..20, 1..20),
        ) {
            let mut stream = Vec::new();
            for number in 0..3 {
                Entry::new("event").number(number).none().bodies(&bodies).write(&mut stream);
            }
            let (mut entries, mut read, mut pieces) = (Entries::default(), Vec::new(), pieces.iter().cycle());
            let mut rest = &stream[..];
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.len().min(*pieces.next().unwrap()));
                entries.put(piece);
                rest = after;
                while let Some(entry) = entries.next().unwrap() {
                    read.push(entry);
                }
            }
            prop_assert_eq!(read.len(), 3);
            for (number, entry) in (0..).zip(&read) {
                prop_assert_eq!((entry.kind(), entry.number(0), entry.field(1)), ("event", Some(number), None));
                prop_assert!(entry.bodies.iter().eq(&bodies));
            }
        }
    }
}
