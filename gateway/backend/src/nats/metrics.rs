//! What is counted of requests over NATS.

use sluice_contract::metrics::gateway as metric;

use crate::metrics::Shown;

pub(super) const REQUESTS: Shown = Shown {
    requests: metric::NATS_BACKEND_REQUESTS,
    seconds: metric::NATS_BACKEND_REQUEST_DURATION_SECONDS,
    buckets: &[
        0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ],
    in_flight: metric::NATS_BACKEND_REQUESTS_IN_FLIGHT,
    dropped: metric::NATS_BACKEND_DISCONNECTS_DROPPED,
};
