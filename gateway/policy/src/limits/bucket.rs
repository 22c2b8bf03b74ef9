//! A token bucket in eight bytes.

#[cfg(test)]
mod tests;

/// How fast something may happen, and how much of it at once.
///
/// The burst is one second's worth: `per_second` events may come at the same moment, and then
/// one each `1/per_second` seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    per_second: u32,
}

impl Rate {
    /// A rate of `per_second` events a second; zero lets nothing through.
    pub const fn per_second(per_second: u32) -> Self {
        Self { per_second }
    }

    /// Events a second.
    pub const fn events(self) -> u32 {
        self.per_second
    }

    /// Nanoseconds one event costs, rounded up so that the rate is never exceeded.
    fn cost(self) -> Option<u64> {
        const SECOND: u64 = 1_000_000_000;
        (self.per_second > 0).then(|| SECOND.div_ceil(u64::from(self.per_second)))
    }
}

/// A token bucket for one connection, room or address.
///
/// In any `t` seconds it lets at most `rate × t + burst` events through, where the burst is the
/// rate of one second. The clock is the caller's coarse monotonic one, in milliseconds; a clock
/// that stands still or steps back only makes the bucket stricter. The rate is given with each
/// call, so that a changed policy counts at once and no bucket has to be visited.
///
/// This is the generic cell rate algorithm (ITU-T I.371, annex A): the only state is the time at
/// which the bucket will be full again. Of two buckets the emptier one is the greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenBucket {
    full_at: u64,
}

impl TokenBucket {
    /// A full bucket.
    pub const fn new() -> Self {
        Self { full_at: 0 }
    }

    /// Takes one event out, or leaves the bucket as it is and says no.
    pub fn take(&mut self, now_ms: u64, rate: Rate) -> bool {
        self.take_many(now_ms, rate, 1)
    }

    /// Takes `count` events out at once, or none of them.
    pub fn take_many(&mut self, now_ms: u64, rate: Rate, count: u32) -> bool {
        let Some(cost) = rate.cost() else {
            return count == 0;
        };
        let now = now_ms.saturating_mul(1_000_000);
        let capacity = cost.saturating_mul(u64::from(rate.per_second));
        let after = self
            .full_at
            .max(now)
            .saturating_add(cost.saturating_mul(u64::from(count)));
        let allowed = after - now <= capacity;
        if allowed {
            self.full_at = after;
        }
        allowed
    }

    /// Milliseconds until one more event will be let through; zero when it would be now.
    pub fn wait_ms(&self, now_ms: u64, rate: Rate) -> Option<u64> {
        let cost = rate.cost()?;
        let room_at = self
            .full_at
            .saturating_add(cost)
            .saturating_sub(cost.saturating_mul(u64::from(rate.per_second)));
        Some(room_at.div_ceil(1_000_000).saturating_sub(now_ms))
    }

    /// Whether the bucket is full, so that a table of buckets can forget it.
    pub const fn is_full(&self, now_ms: u64) -> bool {
        self.full_at <= now_ms.saturating_mul(1_000_000)
    }
}
