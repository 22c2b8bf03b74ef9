//! Which workers of this gateway need something.

/// A set of workers; a gateway has at most 128.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Workers(u128);

impl Workers {
    pub(crate) fn insert(&mut self, worker: usize) {
        self.0 |= bit(worker);
    }

    pub(crate) fn remove(&mut self, worker: usize) {
        self.0 &= !bit(worker);
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let worker = left.trailing_zeros() as usize;
            (left != 0).then(|| {
                left &= left - 1;
                worker
            })
        })
    }
}

fn bit(worker: usize) -> u128 {
    1u128.checked_shl(worker as u32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_worker_is_listed_once() {
        let mut workers = Workers::default();
        for worker in [0, 5, 127, 5, 400] {
            workers.insert(worker);
        }
        assert_eq!(workers.iter().collect::<Vec<_>>(), [0, 5, 127]);
        workers.remove(5);
        assert_eq!(workers.iter().collect::<Vec<_>>(), [0, 127]);
        assert!(!workers.is_empty());
    }
}
