//! Who answers for sessions, and what is remembered of them over their connections.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use sluice_policy::{Identity, TokenBucket};
use sluice_util::{counted_address, lock};
use smallvec::SmallVec;

/// Who answers for a session: its user, or, without one, the address that it came from. It is a
/// number, so that each session can have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Holder(u64);

#[cfg(test)]
impl Holder {
    /// One of many.
    pub(crate) fn numbered(number: u64) -> Self {
        Self(number)
    }
}

/// In how many parts the buckets are kept, each with a lock of its own: workers that let clients in
/// at once hardly ever meet.
const PARTS: usize = 64;

/// With fewer holders than this in a part, those whose buckets are full again are not looked for.
const KEEP: usize = 16;

/// Token buckets of sessions that have ended, none of which was full.
#[derive(Debug)]
struct Used {
    buckets: HashMap<Holder, SmallVec<[TokenBucket; 1]>>,
    /// With so many holders those are forgotten whose buckets are full again.
    forget_at: usize,
}

impl Default for Used {
    fn default() -> Self {
        Self {
            buckets: HashMap::new(),
            forget_at: KEEP,
        }
    }
}

/// What the workers of a gateway remember of holders.
///
/// A session that begins has the bucket of one that has ended, so that a client gets no more done
/// by connecting again. As many buckets are in use as there are connections at once.
#[derive(Debug)]
pub(crate) struct Holders {
    hashes: RandomState,
    began: Instant,
    used: Box<[Mutex<Used>]>,
}

impl Default for Holders {
    fn default() -> Self {
        Self {
            hashes: RandomState::new(),
            began: Instant::now(),
            used: (0..PARTS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Holders {
    /// Who answers for a session of this identity that came from there.
    pub(crate) fn of(&self, identity: &Identity, address: Option<IpAddr>) -> Holder {
        Holder(if identity.is_anonymous() {
            self.hashes.hash_one(address.map(counted_address))
        } else {
            self.hashes.hash_one(identity.user())
        })
    }

    /// The buckets of a holder, and of those that it shares a lock with.
    fn used_by(&self, holder: Holder) -> MutexGuard<'_, Used> {
        lock(&self.used[holder.0 as usize % PARTS])
    }

    /// Milliseconds by the clock of all sessions' buckets.
    pub(crate) fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// The bucket that a session begins with: the emptiest that the holder's sessions left.
    pub(crate) fn take_bucket(&self, holder: Holder, now_ms: u64) -> TokenBucket {
        let mut used = self.used_by(holder);
        let Some(buckets) = used.buckets.get_mut(&holder) else {
            return TokenBucket::new();
        };
        buckets.retain(|bucket| !bucket.is_full(now_ms));
        let emptiest = (0..buckets.len()).max_by_key(|at| buckets[*at]);
        let bucket = emptiest.map(|at| buckets.swap_remove(at));
        if buckets.is_empty() {
            used.buckets.remove(&holder);
        }
        bucket.unwrap_or_default()
    }

    /// Keeps the bucket of a session that ends, until it is full again.
    pub(crate) fn give_back(&self, holder: Holder, bucket: TokenBucket, now_ms: u64) {
        if bucket.is_full(now_ms) {
            return;
        }
        let mut used = self.used_by(holder);
        if used.buckets.len() >= used.forget_at {
            used.buckets.retain(|_, buckets| {
                buckets.retain(|bucket| !bucket.is_full(now_ms));
                !buckets.is_empty()
            });
            // Looking at all of them must stay rare, however many stay.
            used.forget_at = KEEP.max(used.buckets.len() * 2);
        }
        used.buckets.entry(holder).or_default().push(bucket);
    }
}

#[cfg(test)]
mod tests {
    use sluice_policy::Rate;

    use super::*;

    const RATE: Rate = Rate::per_second(50);

    fn emptied(now_ms: u64) -> TokenBucket {
        let mut bucket = TokenBucket::new();
        assert!(bucket.take_many(now_ms, RATE, 50));
        bucket
    }

    #[test]
    fn whoever_comes_back_at_once_has_sent_what_it_has_sent() {
        let holders = Holders::default();
        let holder = Holder(1);
        holders.give_back(holder, emptied(0), 0);
        assert_eq!(holders.take_bucket(Holder(2), 0), TokenBucket::new());
        let mut again = holders.take_bucket(holder, 0);
        assert!(!again.take(0, RATE));
        // What was used is some session's, and not all sessions'.
        assert_eq!(holders.take_bucket(holder, 0), TokenBucket::new());
        holders.give_back(holder, again, 0);
        assert_eq!(holders.take_bucket(holder, 1000), TokenBucket::new());
    }

    #[test]
    fn the_emptiest_bucket_is_given_first() {
        let holders = Holders::default();
        let mut little = TokenBucket::new();
        assert!(little.take(0, RATE));
        for bucket in [little, emptied(0), little] {
            holders.give_back(Holder(1), bucket, 0);
        }
        assert_eq!(holders.take_bucket(Holder(1), 0), emptied(0));
    }

    #[test]
    fn holders_are_forgotten_once_their_buckets_are_full() {
        let holders = Holders::default();
        for number in 0..100_000 {
            let now = number * 10;
            holders.give_back(Holder(number), emptied(now), now);
        }
        let left = holders.used.iter().map(|used| lock(used).buckets.len());
        assert!(left.sum::<usize>() <= PARTS * KEEP);
    }
}
