//! Bytes that wait for a reader.

/// As many bytes wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// How many bytes wait in a queue, and whether more may join them. It is the count alone: the queue
/// itself is whatever suits what is in it.
///
/// ```
/// use sluice_util::{QueuedBytes, Full};
///
/// let mut queued = QueuedBytes::default();
/// assert_eq!(queued.admit(700, 1000), Ok(()));
/// assert_eq!(queued.admit(700, 1000), Err(Full));
/// queued.remove(700);
/// assert_eq!(queued.admit(7000, 1000), Ok(()), "nothing waits: anything may");
/// assert_eq!(queued.bytes(), 7000);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueuedBytes(usize);

impl QueuedBytes {
    /// Counts bytes in, unless that makes more than `limit`. Where nothing waits, any number is
    /// let in, and where less waits than the limit, a number that is greater than it: a message that
    /// never fits slows its reader down, and neither silences it nor ends it.
    ///
    /// # Errors
    /// Where they do not fit; nothing is counted then.
    pub fn admit(&mut self, bytes: usize, limit: usize) -> Result<(), Full> {
        let enough = if bytes > limit { 1 } else { bytes };
        if self.0 > 0 && self.0.saturating_add(enough) > limit {
            return Err(Full);
        }
        self.add(bytes);
        Ok(())
    }

    /// Counts bytes in, whatever the bound: what must be said last.
    pub fn add(&mut self, bytes: usize) {
        self.0 += bytes;
    }

    /// Counts bytes out that were counted in before.
    pub fn remove(&mut self, bytes: usize) {
        self.0 -= bytes;
    }

    /// Counts all of them out, and says how many there were.
    pub fn clear(&mut self) -> usize {
        std::mem::take(&mut self.0)
    }

    /// How many bytes wait.
    pub const fn bytes(self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_one_refuses_but_an_empty_one_takes_anything() {
        let mut queued = QueuedBytes::default();
        assert_eq!(queued.admit(4, 2), Ok(()));
        assert_eq!(queued.admit(1, 2), Err(Full));
        assert_eq!(queued.bytes(), 4);
        assert_eq!(queued.clear(), 4);
        assert_eq!(queued.admit(2, 2), Ok(()));
        assert_eq!(queued.admit(usize::MAX, 2), Err(Full));
    }

    #[test]
    fn what_is_larger_than_the_bound_goes_behind_less_than_the_bound() {
        let mut queued = QueuedBytes::default();
        assert_eq!(queued.admit(9, 10), Ok(()));
        assert_eq!(queued.admit(2, 10), Err(Full));
        assert_eq!(queued.admit(11, 10), Ok(()));
        assert_eq!(queued.admit(11, 10), Err(Full));
        assert_eq!(queued.bytes(), 20);
    }

    #[test]
    fn what_is_said_last_is_counted_whatever_the_bound() {
        let mut queued = QueuedBytes::default();
        assert_eq!(queued.admit(2, 2), Ok(()));
        queued.add(5);
        queued.remove(2);
        assert_eq!(queued.bytes(), 5);
    }
}
