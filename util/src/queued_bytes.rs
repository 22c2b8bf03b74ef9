//! Bytes that wait for a reader.

/// As many bytes wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// How many bytes may wait in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    bytes: usize,
    /// Whether a message counts that is larger than the bound.
    strict: bool,
}

impl Bound {
    /// So many bytes may wait, beside one message that is larger than that.
    pub const fn of(bytes: usize) -> Self {
        let strict = false;
        Self { bytes, strict }
    }

    /// So many bytes may wait, whatever they are.
    pub const fn strict(bytes: usize) -> Self {
        let strict = true;
        Self { bytes, strict }
    }
}

/// How many bytes wait in a queue, and whether more may join them. It is the count alone: the queue
/// itself is whatever suits what is in it.
///
/// ```
/// use sluice_util::{Bound, QueuedBytes, Full};
///
/// let (mut queued, bound) = (QueuedBytes::default(), Bound::of(1000));
/// assert_eq!(queued.admit(700, bound), Ok(()));
/// assert_eq!(queued.admit(700, bound), Err(Full));
/// queued.remove(700);
/// assert_eq!(queued.admit(7000, bound), Ok(()), "nothing waits: anything may");
/// assert_eq!(queued.admit(700, bound), Ok(()), "it waits behind what is too large");
/// assert_eq!(queued.bytes(), 7700);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueuedBytes {
    bytes: usize,
    /// Up to the end of the last message that is larger than the bound.
    oversized: usize,
}

impl QueuedBytes {
    /// Counts bytes in, unless that makes more than the bound. Where nothing waits, any number is
    /// let in, and where less waits than the bound, a number that is greater than it: a message that
    /// never fits slows its reader down, and neither silences it nor ends it. What comes behind such
    /// a message is bound as if that one, and what is before it, were read already: a reader that
    /// takes its time with it is not slow. So twice the bound may wait, and one such message.
    ///
    /// # Errors
    /// Where they do not fit; nothing is counted then.
    pub fn admit(&mut self, bytes: usize, bound: Bound) -> Result<(), Full> {
        let oversized = bytes > bound.bytes;
        let (waiting, enough) = if oversized {
            (self.bytes, 1)
        } else if bound.strict {
            (self.bytes, bytes)
        } else {
            (self.bytes - self.oversized, bytes)
        };
        if waiting > 0 && waiting.saturating_add(enough) > bound.bytes {
            return Err(Full);
        }
        self.add(bytes);
        if oversized {
            self.oversized = self.bytes;
        }
        Ok(())
    }

    /// Counts bytes in, whatever the bound: what must be said last.
    pub fn add(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// Counts bytes out that were counted in before: those that have waited longest.
    pub fn remove(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.oversized = self.oversized.saturating_sub(bytes);
    }

    /// Counts all of them out, and says how many there were.
    pub fn clear(&mut self) -> usize {
        std::mem::take(self).bytes
    }

    /// How many bytes wait.
    pub const fn bytes(self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_one_refuses_but_an_empty_one_takes_anything() {
        let mut queued = QueuedBytes::default();
        assert_eq!(queued.admit(4, Bound::of(2)), Ok(()));
        assert_eq!(queued.admit(1, Bound::strict(2)), Err(Full));
        assert_eq!(queued.bytes(), 4);
        assert_eq!(queued.clear(), 4);
        assert_eq!(queued.admit(2, Bound::of(2)), Ok(()));
        assert_eq!(queued.admit(1, Bound::of(2)), Err(Full));
        assert_eq!(queued.admit(usize::MAX, Bound::of(2)), Err(Full));
    }

    #[test]
    fn what_is_larger_than_the_bound_goes_behind_less_than_the_bound() {
        let (mut queued, bound) = (QueuedBytes::default(), Bound::of(10));
        assert_eq!(queued.admit(9, bound), Ok(()));
        assert_eq!(queued.admit(2, bound), Err(Full));
        assert_eq!(queued.admit(11, bound), Ok(()));
        assert_eq!(queued.admit(11, bound), Err(Full));
        assert_eq!(queued.bytes(), 20);
    }

    #[test]
    fn what_comes_behind_a_message_that_is_larger_than_the_bound_is_bound_by_itself() {
        for read in [0, 1, 85, 99] {
            let (mut queued, bound) = (QueuedBytes::default(), Bound::of(10));
            assert_eq!(queued.admit(100, bound), Ok(()));
            queued.remove(read);
            for bytes in [4, 6] {
                assert_eq!(queued.admit(bytes, bound), Ok(()), "{read} of it are read");
            }
            assert_eq!(queued.admit(1, bound), Err(Full));
            queued.remove(100 - read);
            assert_eq!(queued.admit(1, bound), Err(Full));
            queued.remove(1);
            assert_eq!(queued.admit(1, bound), Ok(()));
        }
    }

    #[test]
    fn what_is_said_last_is_counted_whatever_the_bound() {
        let mut queued = QueuedBytes::default();
        assert_eq!(queued.admit(2, Bound::of(2)), Ok(()));
        queued.add(5);
        queued.remove(2);
        assert_eq!(queued.bytes(), 5);
    }
}
