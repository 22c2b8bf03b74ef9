//! What is counted of requests over NATS.

use crate::metrics::Described;

pub(super) const REQUESTS: Described = Described {
    requests: (
        "sluice_nats_backend_requests_total",
        "Requests to the backend over NATS, by kind and by outcome: ok or the error's code.",
    ),
    seconds: (
        "sluice_nats_backend_request_duration_seconds",
        "Time until the backend's answer was there.",
    ),
    buckets: &[
        0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ],
    in_flight: (
        "sluice_nats_backend_requests_in_flight",
        "Events and questions that the backend has not answered yet.",
    ),
    dropped: (
        "sluice_nats_backend_disconnects_dropped_total",
        "Ended sessions that the backend was not told of.",
    ),
};
