//! Which subjects are subscribed to.

use rustc_hash::FxHashMap;

/// Subjects and the numbers under which their messages come: some hundred bytes each.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    sids: FxHashMap<Box<str>, u64>,
    last: u64,
}

impl Subjects {
    /// The number of a new subject; `None` if it is there.
    pub(super) fn add(&mut self, subject: &str) -> Option<u64> {
        if self.sids.contains_key(subject) {
            return None;
        }
        self.last += 1;
        self.sids.insert(subject.into(), self.last);
        Some(self.last)
    }

    /// The number that a subject had.
    pub(super) fn remove(&mut self, subject: &str) -> Option<u64> {
        let sid = self.sids.remove(subject)?;
        // A table never gets smaller by itself.
        if self.sids.capacity() > 64 && self.sids.len() < self.sids.capacity() / 8 {
            self.sids.shrink_to(self.sids.len() * 2);
        }
        Some(sid)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.sids.iter().map(|(subject, sid)| (&**subject, *sid))
    }

    pub(super) fn len(&self) -> usize {
        self.sids.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_there_once_and_gets_a_new_number_each_time() {
        let mut subjects = Subjects::default();
        assert_eq!((subjects.add("a"), subjects.add("a")), (Some(1), None));
        assert_eq!(
            (subjects.remove("a"), subjects.remove("a")),
            (Some(1), None)
        );
        assert_eq!(subjects.add("a"), Some(2));
        assert_eq!(subjects.iter().collect::<Vec<_>>(), [("a", 2)]);
    }

    #[test]
    fn what_was_needed_for_many_is_given_back() {
        let mut subjects = Subjects::default();
        let names: Vec<_> = (0..10_000).map(|n| n.to_string()).collect();
        for name in &names {
            subjects.add(name);
        }
        for name in &names[10..] {
            subjects.remove(name);
        }
        assert_eq!(subjects.len(), 10);
        assert!(subjects.sids.capacity() <= 128);
    }
}
