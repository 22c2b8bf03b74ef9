//! How many traces a gateway begins.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

/// The most traces that begin here within a second.
const A_SECOND: u32 = 100;

/// Lets every trace begin while there are few, and a bounded number of them however many there
/// are. Traces that began elsewhere are not its matter.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    since: Instant,
    /// The second, and how many began in it.
    state: Arc<AtomicU64>,
}

impl Limit {
    pub(crate) fn new() -> Self {
        Self {
            since: Instant::now(),
            state: Arc::default(),
        }
    }

    fn take(&self, second: u32) -> bool {
        let taken = |state| next(state, second);
        self.state.try_update(Relaxed, Relaxed, taken).is_ok()
    }
}

/// The state after one more began in `second`; none where that is one too many.
fn next(state: u64, second: u32) -> Option<u64> {
    let (then, began) = ((state >> 32) as u32, state as u32);
    let began = if then == second { began } else { 0 };
    (began < A_SECOND).then(|| u64::from(second) << 32 | u64::from(began + 1))
}

impl ShouldSample for Limit {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let decision = if self.take(self.since.elapsed().as_secs() as u32) {
            SamplingDecision::RecordAndSample
        } else {
            SamplingDecision::Drop
        };
        SamplingResult {
            decision,
            attributes: Vec::new(),
            trace_state: TraceState::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_traces_begin_as_may_each_second() {
        let limit = Limit::new();
        for second in [0, 1, 5] {
            let began = (0..1_000).filter(|_| limit.take(second)).count();
            assert_eq!(began, A_SECOND as usize);
        }
    }
}
