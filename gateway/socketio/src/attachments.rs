//! A binary event whose attachments are still on their way.

use bytes::Bytes;

/// The packet's text and what has come of its attachments.
#[derive(Debug)]
pub(crate) struct Partial {
    text: Box<str>,
    expected: usize,
    attachments: Vec<Bytes>,
    bytes: usize,
}

impl Partial {
    pub(crate) fn new(text: &str, expected: usize) -> Self {
        Self {
            text: text.into(),
            expected,
            attachments: Vec::new(),
            bytes: text.len(),
        }
    }

    /// Adds an attachment; the event as a whole is bounded as one message is.
    pub(crate) fn add(&mut self, attachment: &[u8], limit: usize) -> Result<bool, ()> {
        self.bytes += attachment.len();
        if self.bytes > limit {
            return Err(());
        }
        self.attachments.push(Bytes::copy_from_slice(attachment));
        Ok(self.attachments.len() == self.expected)
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
        assert_eq!(partial.add(b"a", 100), Ok(false));
        assert_eq!(partial.add(b"b", 100), Ok(true));
    }

    #[test]
    fn attachments_count_towards_the_events_size() {
        let mut partial = Partial::new("52-[]", 2);
        assert_eq!(partial.add(b"abc", 8), Ok(false));
        assert_eq!(partial.add(b"d", 8), Err(()));
    }
}
