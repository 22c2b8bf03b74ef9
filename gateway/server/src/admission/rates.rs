//! How fast each client address uses up something.

use std::{collections::HashMap, net::IpAddr, sync::Mutex};

use sluice_policy::{Rate, TokenBucket};
use sluice_util::{counted_address, lock};

/// With fewer addresses than this, those whose buckets are full again are not looked for.
const KEEP: usize = 1024;

/// What addresses have used up of late. A bucket is full again after a second, so only addresses of
/// the last moments are kept.
#[derive(Debug)]
pub(super) struct Rates(Mutex<Used>);

#[derive(Debug)]
struct Used {
    buckets: HashMap<IpAddr, TokenBucket>,
    /// With so many addresses those are forgotten whose buckets are full again.
    forget_at: usize,
}

impl Default for Rates {
    fn default() -> Self {
        Self(Mutex::new(Used {
            buckets: HashMap::new(),
            forget_at: KEEP,
        }))
    }
}

impl Rates {
    /// Charges an address one, if it has that left.
    pub(super) fn charge(&self, address: IpAddr, now_ms: u64, rate: Rate) {
        let mut used = lock(&self.0);
        if used.buckets.len() >= used.forget_at {
            used.buckets.retain(|_, bucket| !bucket.is_full(now_ms));
            // Looking at all of them must stay rare, however many stay.
            used.forget_at = KEEP.max(used.buckets.len() * 2);
        }
        let bucket = used.buckets.entry(counted_address(address)).or_default();
        bucket.take(now_ms, rate);
    }

    /// Whether an address has nothing left for now.
    pub(super) fn is_spent(&self, address: IpAddr, now_ms: u64, rate: Rate) -> bool {
        let used = lock(&self.0);
        let bucket = used.buckets.get(&counted_address(address));
        bucket.is_some_and(|bucket| bucket.wait_ms(now_ms, rate) != Some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::per_second(10);

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn an_address_is_spent_by_its_own_charges_and_for_a_moment() {
        let rates = Rates::default();
        for n in 0..10 {
            assert!(!rates.is_spent(address(1), 0, RATE), "{n}");
            rates.charge(address(1), 0, RATE);
        }
        assert!(rates.is_spent(address(1), 0, RATE));
        assert!(!rates.is_spent(address(2), 0, RATE));
        assert!(!rates.is_spent(address(1), 100, RATE));
    }

    #[test]
    fn addresses_are_forgotten_once_their_buckets_are_full() {
        let rates = Rates::default();
        for number in 0..100_000 {
            rates.charge(address(number), u64::from(number), RATE);
        }
        assert!(lock(&rates.0).buckets.len() <= KEEP);
    }
}
