//! Frames of a client that is not let in yet.

/// What a frame takes beside its text, roughly.
const AROUND: usize = 64;

/// Frames in their order, which are carried out once the client is let in.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    frames: Vec<Box<str>>,
    bytes: usize,
}

impl Waiting {
    /// Keeps a frame, unless that makes more than `most` bytes. Any frame fits alone.
    pub(super) fn add(&mut self, text: &str, most: usize) -> bool {
        let bytes = self.bytes + text.len() + AROUND;
        if bytes > most && !self.frames.is_empty() {
            return false;
        }
        self.bytes = bytes;
        self.frames.push(text.into());
        true
    }
}

impl IntoIterator for Waiting {
    type Item = Box<str>;
    type IntoIter = std::vec::IntoIter<Box<str>>;

    fn into_iter(self) -> Self::IntoIter {
        self.frames.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_wait_in_their_order_and_no_more_of_them_than_bytes_allow() {
        let mut waiting = Waiting::default();
        assert!(waiting.add("a frame of any size fits alone", 1));
        let mut waiting = Waiting::default();
        let frames: Vec<_> = (0..20).map(|n| n.to_string()).collect();
        let kept = frames.iter().filter(|frame| waiting.add(frame, 1_000));
        assert_eq!(kept.count(), 15, "each counts with what it takes around it");
        let read: Vec<_> = waiting.into_iter().collect();
        assert!(read.iter().map(|frame| &**frame).eq(&frames[..15]));
    }
}
