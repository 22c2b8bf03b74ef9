//! One rate for all gateways that drain at the same time.

/// How many connections a second this gateway may close of the `rate` that the fleet may: as large
/// a part as it has of all connections that are to be moved, `own` and the `others`' together.
///
/// At least one a second, so that a drain with few connections left beside a large one ends; less
/// only if the fleet's rate is.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share need not be exact beyond 2^52 connections"
)]
pub(super) fn share(rate: f64, own: u64, others: impl Iterator<Item = u64>) -> f64 {
    let all = others.fold(own, u64::saturating_add);
    let part = if all == 0 {
        1.0
    } else {
        own as f64 / all as f64
    };
    (rate * part).max(rate.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn a_gateway_that_drains_alone_has_the_whole_rate() {
        assert!(close(share(500.0, 20, [].into_iter()), 500.0));
        assert!(close(share(500.0, 0, [].into_iter()), 500.0));
    }

    #[test]
    fn gateways_share_by_what_is_left_of_them() {
        assert!(close(share(100.0, 300, [100].into_iter()), 75.0));
        assert!(close(share(100.0, 100, [300].into_iter()), 25.0));
    }

    #[test]
    fn the_last_few_connections_are_not_held_up_by_a_large_drain() {
        assert!(close(share(10.0, 1, [50_000].into_iter()), 1.0));
        assert!(close(share(0.5, 1, [50_000].into_iter()), 0.5));
    }

    proptest! {
        #[test]
        fn together_they_keep_the_rate(rate in 1.0f64..1e4, left in prop::collection::vec(0u64..50_000, 1..12)) {
            let others = |at: usize| left.iter().enumerate().filter(move |(other, _)| *other != at).map(|(_, n)| *n);
            let shares: Vec<f64> = (0..left.len()).map(|at| share(rate, left[at], others(at))).collect();
            // Those with next to nothing left may exceed it, each by one a second.
            let total: f64 = shares.iter().filter(|share| **share > 1.0).sum();
            if left.iter().any(|n| *n > 0) {
                prop_assert!(total <= rate + 1e-6, "{shares:?}");
            }
            prop_assert!(shares.iter().all(|share| *share >= 1.0));
        }
    }
}
