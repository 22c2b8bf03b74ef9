//! Something that comes in parts.

/// The parts of something that have come so far. They come in order; where one is missing, all
/// are useless.
#[derive(Debug)]
pub(crate) struct Assembly<T> {
    version: u64,
    parts: u32,
    next: u32,
    items: Vec<T>,
}

impl<T> Assembly<T> {
    /// Adds a part, of `parts`, of the given version. Returns everything when it is complete,
    /// unless it is more than `most`.
    pub(crate) fn add(
        slot: &mut Option<Box<Self>>,
        version: u64,
        (part, parts): (u32, u32),
        items: Vec<T>,
        most: usize,
    ) -> Option<Vec<T>> {
        if part == 0 {
            *slot = Some(Box::new(Self {
                version,
                parts,
                next: 0,
                items: Vec::new(),
            }));
        }
        let mut all = slot.take()?;
        let expected = (all.version, all.parts, all.next) == (version, parts, part);
        if !expected || all.items.len() + items.len() > most {
            return None;
        }
        all.items.extend(items);
        all.next += 1;
        if all.next == parts {
            return Some(all.items);
        }
        *slot = Some(all);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Slot(Option<Box<Assembly<u8>>>);

    impl Slot {
        fn add(&mut self, version: u64, part: (u32, u32), item: u8) -> Option<Vec<u8>> {
            Assembly::add(&mut self.0, version, part, vec![item], 2)
        }
    }

    #[test]
    fn a_whole_is_complete_with_its_last_part() {
        let mut slot = Slot(None);
        assert_eq!(slot.add(3, (0, 2), 1), None);
        assert_eq!(slot.add(3, (1, 2), 2), Some(vec![1, 2]));
        assert_eq!(slot.add(3, (1, 2), 2), None);
    }

    #[test]
    fn a_whole_that_lacks_a_part_is_none() {
        let mut slot = Slot(None);
        assert_eq!(slot.add(3, (0, 3), 1), None);
        assert_eq!(slot.add(3, (2, 3), 3), None);
        assert_eq!(slot.add(3, (1, 3), 2), None);
        assert_eq!(slot.add(3, (0, 0), 1), None);
    }

    #[test]
    fn parts_of_two_versions_do_not_mix() {
        let mut slot = Slot(None);
        slot.add(3, (0, 2), 1);
        assert_eq!(slot.add(4, (1, 2), 2), None);
    }

    #[test]
    fn what_is_too_much_is_dropped() {
        let mut slot = Slot(None);
        slot.add(3, (0, 3), 1);
        slot.add(3, (1, 3), 2);
        assert_eq!(slot.add(3, (2, 3), 3), None);
        assert!(slot.0.is_none());
    }
}
