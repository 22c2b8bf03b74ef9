//! A binary event whose attachments are still on their way.

use bytes::Bytes;

/// The packet's text and what has come of its attachments.
#[derive(Debug)]
pub(crate) struct Partial {
    text: Box<str>,
    expected: usize,
    seen: usize,
    attachments: Vec<Bytes>,
    bytes: usize,
    /// The event as a whole is over the bound: nothing of it is kept but how its text began.
    oversized: bool,
}

impl Partial {
    pub(crate) fn new(text: &str, expected: usize) -> Self {
        Self {
            text: text.into(),
            expected,
            seen: 0,
            attachments: Vec::new(),
            bytes: text.len(),
            oversized: false,
        }
    }

    /// An event whose text alone, of so many bytes, is over the bound.
    pub(crate) fn oversized(head: &str, expected: usize, bytes: usize) -> Self {
        Self {
            bytes,
            oversized: true,
            ..Self::new(head, expected)
        }
    }

    /// Adds an attachment; the event as a whole is bounded as one message is. True where it was the
    /// last.
    pub(crate) fn add(&mut self, attachment: &[u8], limit: usize) -> bool {
        let last = self.pass_over(attachment.len(), limit);
        if !self.oversized {
            self.attachments.push(Bytes::copy_from_slice(attachment));
        }
        last
    }

    /// As [`Self::add`], for one of which only the length is there.
    pub(crate) fn pass_over(&mut self, bytes: usize, limit: usize) -> bool {
        self.bytes += bytes;
        self.seen += 1;
        if self.bytes > limit {
            self.oversized = true;
            self.attachments = Vec::new();
        }
        self.seen == self.expected
    }

    /// How long the event is that is over the bound, as far as it has come.
    pub(crate) fn oversize(&self) -> Option<usize> {
        self.oversized.then_some(self.bytes)
    }

    pub(crate) fn into_parts(self) -> (Box<str>, Vec<Bytes>) {
        (self.text, self.attachments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_whole_when_its_last_attachment_came() {
        let mut partial = Partial::new("52-[]", 2);
        assert!(!partial.add(b"a", 100));
        assert!(partial.add(b"b", 100));
        assert_eq!(partial.oversize(), None);
        assert_eq!(partial.into_parts().1, ["a", "b"]);
    }

    #[test]
    fn attachments_count_towards_the_events_size_and_are_not_kept_above_the_bound() {
        let mut partial = Partial::new("53-[]", 3);
        assert!(!partial.add(b"abc", 8));
        assert_eq!(partial.oversize(), None);
        assert!(!partial.add(b"d", 8));
        assert!(partial.add(b"e", 8));
        assert_eq!(partial.oversize(), Some(10));
        assert!(partial.into_parts().1.is_empty());
    }
}
