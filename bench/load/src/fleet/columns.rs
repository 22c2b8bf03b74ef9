//! The columns of a fleet's tables.

use crate::suite::table::Column;

const CPU: &str = "server_cpu_seconds_per_million";
const BROKER: &str = "broker_cpu_seconds_per_million";
const RATE: &str = "deliveries_per_second";

/// Deliveries first, then what connections and rooms cost.
pub(super) const TABLES: [&[Column]; 2] = [&DELIVERIES, &SIZE];

const DELIVERIES: [Column; 6] = [
    Column {
        title: "room of 1000, W=1: CPU s/1M (broker) / per s",
        cells: &[
            ("fan-out-1", CPU, ""),
            ("fan-out-1", BROKER, ""),
            ("fan-out-1", RATE, ""),
        ],
    },
    Column {
        title: "W=16: CPU s/1M (broker) / per s",
        cells: &[
            ("fan-out-16", CPU, ""),
            ("fan-out-16", BROKER, ""),
            ("fan-out-16", RATE, ""),
        ],
    },
    Column {
        title: "100 rooms of 10, W=64: CPU s/1M (broker) / per s",
        cells: &[
            ("rooms-64", CPU, ""),
            ("rooms-64", BROKER, ""),
            ("rooms-64", RATE, ""),
        ],
    },
    Column {
        title: "20k/s: CPU s/1M / p50 / p95 / p99 ms",
        cells: &[
            ("open-20k", CPU, ""),
            ("open-20k", "delivery_p50_ms", ""),
            ("open-20k", "delivery_p95_ms", ""),
            ("open-20k", "delivery_p99_ms", ""),
        ],
    },
    Column {
        title: "60k/s: CPU s/1M / p50 / p99 ms, achieved",
        cells: &[
            ("open-60k", CPU, ""),
            ("open-60k", "delivery_p50_ms", ""),
            ("open-60k", "delivery_p99_ms", ""),
            ("open-60k", "achieved_percent", " %"),
        ],
    },
    Column {
        title: "lost: W=16 / rooms / 20k/s / 60k/s",
        cells: &[
            ("fan-out-16", "lost_deliveries", ""),
            ("rooms-64", "lost_deliveries", ""),
            ("open-20k", "lost_deliveries", ""),
            ("open-60k", "lost_deliveries", ""),
        ],
    },
];

const SIZE: [Column; 5] = [
    Column {
        title: "many rooms: set up s / joins/s",
        cells: &[
            ("many-rooms", "set_up_seconds", ""),
            ("many-rooms", "joins_per_second", ""),
        ],
    },
    Column {
        title: "many rooms: KiB of a server / broker",
        cells: &[
            ("many-rooms", "server_0_kib", ""),
            ("many-rooms", "broker_kib", ""),
        ],
    },
    Column {
        title: "many rooms: NATS subscriptions / consumers / lost",
        cells: &[
            ("many-rooms", "nats_subscriptions", ""),
            ("many-rooms", "nats_jetstream_consumers", ""),
            ("many-rooms", "lost_deliveries", ""),
        ],
    },
    Column {
        title: "50k connections: KiB each / under load / p99 ms / lost",
        cells: &[
            ("hold-50k", "kib_per_connection", ""),
            ("hold-50k", "loaded_kib_per_connection", ""),
            ("hold-50k", "delivery_p99_ms", ""),
            ("hold-50k", "lost_deliveries", ""),
        ],
    },
    Column {
        title: "interest: bytes/s to the quietest / busiest client of NATS",
        cells: &[
            ("interest", "nats_to_quietest_bytes_per_second", ""),
            ("interest", "nats_to_busiest_bytes_per_second", ""),
        ],
    },
];
