//! What a hub counts. One writer, the worker; anyone may read.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use sluice_contract::Code;
use sluice_net::{Cause, Counter};
use sluice_util::lock;

use crate::failure::Failure;

/// Upper bounds of the delivery latency histogram, in microseconds.
pub(crate) const LATENCY_BOUNDS: [u64; 14] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
    5_000_000,
];

/// Counters of one worker's hub.
#[derive(Debug, Default)]
pub(crate) struct HubCounters {
    pub(crate) sessions: Counter,
    pub(crate) detached: Counter,
    pub(crate) memberships: Counter,
    pub(crate) published: Counter,
    pub(crate) duplicates: Counter,
    pub(crate) deliveries: Counter,
    pub(crate) dropped: Counter,
    pub(crate) events: Counter,
    /// Sessions that are attached to instances of applications, or wait for one.
    pub(crate) attached: Counter,
    /// Events for applications.
    pub(crate) application_events: Counter,
    /// Sessions that went from one instance of an application to the next in order.
    pub(crate) handovers: Counter,
    /// Events that an instance took and had not answered when it went, and the next one was given.
    pub(crate) in_doubt: Counter,
    /// Events that nobody had answered when their session ended.
    pub(crate) never_answered: Counter,
    /// Bytes of events that wait for an instance.
    pub(crate) waiting_bytes: Counter,
    /// Sessions whose clients are not read, since too much of what they sent waits.
    pub(crate) paused: Counter,
    /// Events that waited for an instance when their session ended.
    pub(crate) undelivered_events: Counter,
    /// What instances said to sessions that had ended, or were another's.
    pub(crate) unheard_entries: Counter,
    /// What instances said and no client could read.
    pub(crate) unreadable_emissions: Counter,
    pub(crate) recovered: Counter,
    pub(crate) recovery_gone: Counter,
    pub(crate) recovery_unknown: Counter,
    pub(crate) recovery_unavailable: Counter,
    pub(crate) throttled: Counter,
    pub(crate) opened: Counter,
    /// Bytes of messages that wait in replays.
    pub(crate) replay_bytes: Counter,
    closed: [Counter; Cause::ALL.len()],
    latency: [Counter; LATENCY_BOUNDS.len() + 1],
    latency_sum_us: Counter,
    /// Refusals by code. The codes are constants, so they are few.
    failures: Mutex<BTreeMap<String, u64>>,
    /// What became of tokens: `accepted`, `anonymous` where there was none, or the refusal's code.
    auth: Mutex<BTreeMap<&'static str, u64>>,
}

/// How many distinct codes are counted; what a backend makes up beyond counts as `other`.
const MAX_CODES: usize = 128;

impl HubCounters {
    /// Counts the end of a connection.
    pub(crate) fn closed(&self, cause: Cause) {
        let at = Cause::ALL
            .iter()
            .position(|known| known.name() == cause.name());
        if let Some(counter) = at.and_then(|at| self.closed.get(at)) {
            counter.add(1);
        }
    }

    /// Connections ended, by cause.
    pub(crate) fn closed_by_cause(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Cause::ALL
            .iter()
            .zip(&self.closed)
            .map(|(cause, counter)| (cause.name(), counter.get()))
    }

    /// Counts a wish to recover that could not be met.
    pub(crate) fn not_recovered(&self, why: sluice_backbone::Error) {
        match why {
            sluice_backbone::Error::Gone => self.recovery_gone.add(1),
            _ => self.recovery_unavailable.add(1),
        }
    }

    /// Counts and logs a refusal that a client is not told of in so many words.
    pub(crate) fn failed(&self, code: Code) {
        tracing::debug!(code = code.as_str(), "a client was refused");
        self.count(code.as_str());
    }

    /// Counts and logs a refusal.
    pub(crate) fn refused(&self, failure: &Failure) {
        let code = failure.code();
        tracing::debug!(code, "a client was refused");
        self.count(failure.counted());
    }

    fn count(&self, code: &str) {
        let mut failures = lock(&self.failures);
        if let Some(count) = failures.get_mut(code) {
            *count += 1;
        } else if failures.len() < MAX_CODES {
            failures.insert(code.to_owned(), 1);
        } else {
            *failures.entry("other".to_owned()).or_default() += 1;
        }
    }

    /// Counts what became of a client's token.
    pub(crate) fn authenticated(&self, outcome: &'static str) {
        let mut auth = lock(&self.auth);
        *auth.entry(outcome).or_default() += 1;
    }

    /// What became of tokens.
    pub(crate) fn auth(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.auth).clone()
    }

    /// Counts the end of a connection that broke a protocol's rules.
    pub(crate) fn broke_rules(&self, cause: Cause) {
        if let Cause::Protocol(code) = cause {
            self.failed(match code {
                1003 => Code::UnsupportedData,
                1007 => Code::InvalidText,
                1009 => Code::MessageTooLarge,
                _ => Code::ProtocolError,
            });
        }
    }

    /// Refusals by code.
    pub(crate) fn failures(&self) -> BTreeMap<String, u64> {
        lock(&self.failures).clone()
    }

    /// Records how long a message took from its acceptance until all was written.
    pub(crate) fn observe(&self, latency: Duration) {
        let us = latency.as_micros() as u64;
        let bucket = LATENCY_BOUNDS.partition_point(|bound| *bound < us);
        self.latency[bucket].add(1);
        self.latency_sum_us.add(us);
    }

    /// The latency histogram: observations by bucket, and their sum in microseconds.
    pub(crate) fn latency(&self) -> ([u64; LATENCY_BOUNDS.len() + 1], u64) {
        (
            std::array::from_fn(|i| self.latency[i].get()),
            self.latency_sum_us.get(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_falls_into_the_first_bucket_that_holds_it() {
        let counters = HubCounters::default();
        for us in [50, 51, 6_000_000] {
            counters.observe(Duration::from_micros(us));
        }
        let (buckets, sum) = counters.latency();
        assert_eq!(
            (buckets[0], buckets[1], buckets[14], sum),
            (1, 1, 1, 6_000_101)
        );
    }

    #[test]
    fn codes_beyond_the_bound_are_counted_together() {
        let counters = HubCounters::default();
        (0..MAX_CODES + 5).for_each(|i| counters.count(&i.to_string()));
        assert_eq!(counters.failures()["other"], 5);
    }
}
