//! Hashing that is secret, and yet the same each time a simulation runs.

use std::hash::{BuildHasher, DefaultHasher, Hasher as _};

/// Clients choose the names of rooms, so their hashes begin from a secret seed.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl BuildHasher for Seeded {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}
