//! Timers of sessions do not pile up.

use std::time::Duration;

use sluice_net::Cause;

use super::{bench::on_bench, refresh};

#[test]
fn refreshing_often_piles_up_no_timers() {
    on_bench(async |bench| {
        let ann = bench.enter("ann").await;
        let before = bench.hub.timers.len();
        for seconds in (1_000..1_100).chain([100, 2_000, 100, 2_000]) {
            let token = bench.token("ann", Duration::from_secs(seconds));
            assert!(bench.ask(&ann, refresh(&token)).await.is_ok());
        }
        assert_eq!(bench.hub.timers.len(), before);
        bench.hub.disconnected(&ann, Cause::Left);
        assert_eq!(bench.hub.timers.len(), before - 1);
    });
}

#[test]
fn coming_and_going_often_piles_up_no_timers() {
    on_bench(async |bench| {
        let mut ann = bench.enter("ann").await;
        let before = bench.hub.timers.len();
        for _ in 0..100 {
            bench.hub.disconnected(&ann, Cause::Lost);
            assert_eq!(bench.hub.timers.len(), before);
            let again = bench.return_from("ann", &ann, None).await;
            assert_eq!(again.id, ann.id);
            assert_eq!(bench.hub.timers.len(), before);
            ann = again;
        }
    });
}
