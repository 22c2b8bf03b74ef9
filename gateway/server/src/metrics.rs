//! The gateway's figures, as Prometheus reads them.

mod backbone;
mod family;
mod peers;

use std::sync::Arc;

use arc_swap::ArcSwap;
use prometheus::{Registry, core::Collector, core::Desc, proto::MetricFamily};
use sluice_backbone::Backbone;
use sluice_bucket::Connection;
use sluice_engineio::Inbound;
use sluice_nats::Nats;
use sluice_net::{Cause, Counter, Counters};
use sluice_policy::Policy;

use self::family::{counter, float, gauge, histogram, labelled};
use crate::{
    admission::Admission,
    drain::Drainer,
    hub::{HubCounters, LATENCY_BOUNDS},
    in_force::InForce,
};

/// Upper bounds of the distribution of room sizes, in members.
const SIZE_BOUNDS: [u64; 8] = [1, 2, 5, 10, 100, 1_000, 10_000, 100_000];

/// All metrics of the process.
pub(crate) struct Metrics {
    registry: Registry,
}

impl Metrics {
    pub(crate) fn new(sources: Sources, registry: Registry) -> prometheus::Result<Self> {
        registry.register(Box::new(sources))?;
        Ok(Self { registry })
    }

    /// The registry, for parts that count for themselves.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }
}

/// What one worker counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerCounters {
    pub(crate) net: Arc<Counters>,
    pub(crate) hub: Arc<HubCounters>,
}

/// Where the figures come from. What the workers count is summed up when somebody asks.
pub(crate) struct Sources {
    pub(crate) admission: Arc<Admission>,
    pub(crate) backbone: Arc<dyn Backbone>,
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    pub(crate) in_force: Arc<InForce>,
    pub(crate) drainer: Arc<Drainer>,
    pub(crate) workers: Vec<WorkerCounters>,
    pub(crate) nats: Option<Arc<Nats>>,
    /// The connection to the bucket, if there is one.
    pub(crate) bucket: Option<Connection>,
    /// What other gateways ask about sessions of this one, where there are others.
    pub(crate) inbound: Option<Inbound>,
}

impl Sources {
    fn net(&self, pick: impl Fn(&Counters) -> &Counter) -> u64 {
        self.workers
            .iter()
            .map(|worker| pick(&worker.net).get())
            .sum()
    }

    fn hub(&self, pick: impl Fn(&HubCounters) -> &Counter) -> u64 {
        self.workers
            .iter()
            .map(|worker| pick(&worker.hub).get())
            .sum()
    }

    fn connections(&self) -> Vec<MetricFamily> {
        let mut closed: Vec<_> = Cause::ALL
            .iter()
            .map(|cause| (cause.name().to_owned(), 0))
            .collect();
        for worker in &self.workers {
            for (sum, (_, count)) in closed.iter_mut().zip(worker.hub.closed_by_cause()) {
                sum.1 += count;
            }
        }
        vec![
            gauge(
                "sluice_connections",
                "Client connections open now.",
                self.admission.open(),
            ),
            gauge(
                "sluice_connections_peak",
                "The most client connections that were open at once.",
                self.admission.peak(),
            ),
            gauge(
                "sluice_connections_limit",
                "The most client connections that the gateway takes.",
                u64::from(self.policy.load().max_connections),
            ),
            counter(
                "sluice_connections_opened_total",
                "Sessions that got a connection.",
                self.hub(|c| &c.opened),
            ),
            labelled(
                "sluice_connections_closed_total",
                "Sessions that lost or ended their connection.",
                "cause",
                closed,
            ),
        ]
    }

    fn sockets_and_sessions(&self) -> Vec<MetricFamily> {
        vec![
            counter(
                "sluice_sockets_accepted_total",
                "TCP connections accepted.",
                self.net(|c| &c.accepted),
            ),
            counter(
                "sluice_sockets_refused_total",
                "TCP connections closed at once because the gateway was full.",
                self.net(|c| &c.refused),
            ),
            gauge(
                "sluice_sockets",
                "TCP connections open now.",
                self.net(|c| &c.sockets),
            ),
            counter(
                "sluice_handshakes_failed_total",
                "TLS and HTTP handshakes that failed.",
                self.net(|c| &c.handshakes_failed),
            ),
            gauge(
                "sluice_sessions",
                "Sessions, connected or recoverable.",
                self.hub(|c| &c.sessions),
            ),
            gauge(
                "sluice_sessions_detached",
                "Sessions without a connection that can be recovered.",
                self.hub(|c| &c.detached),
            ),
        ]
    }

    fn messages(&self) -> Vec<MetricFamily> {
        vec![
            counter(
                "sluice_messages_published_total",
                "Messages that clients published to rooms.",
                self.hub(|c| &c.published),
            ),
            counter(
                "sluice_messages_duplicate_total",
                "Messages published again under the same id.",
                self.hub(|c| &c.duplicates),
            ),
            counter(
                "sluice_messages_delivered_total",
                "Messages handed to members' connections.",
                self.hub(|c| &c.deliveries),
            ),
            counter(
                "sluice_messages_dropped_total",
                "Messages dropped for members that read too slowly.",
                self.hub(|c| &c.dropped) + self.net(|c| &c.dropped),
            ),
            counter(
                "sluice_messages_throttled_total",
                "Messages refused because their connection was too fast.",
                self.hub(|c| &c.throttled),
            ),
            counter(
                "sluice_backend_events_total",
                "Events of clients for the application's backend.",
                self.hub(|c| &c.events),
            ),
            self.latency(),
        ]
    }

    fn bytes(&self) -> Vec<MetricFamily> {
        vec![
            counter(
                "sluice_received_bytes_total",
                "Bytes read from WebSocket connections.",
                self.net(|c| &c.bytes_in),
            ),
            counter(
                "sluice_sent_bytes_total",
                "Bytes written to WebSocket connections.",
                self.net(|c| &c.bytes_out),
            ),
            counter(
                "sluice_sent_frames_total",
                "Frames queued for WebSocket connections.",
                self.net(|c| &c.frames_out),
            ),
            counter(
                "sluice_writes_total",
                "Writes to WebSocket connections; fewer than frames where frames coalesce.",
                self.net(|c| &c.writes),
            ),
            gauge(
                "sluice_queue_bytes",
                "Bytes that wait in outbound queues.",
                self.net(|c| &c.queued_bytes),
            ),
            counter(
                "sluice_slow_consumers_total",
                "Connections closed because they read too slowly.",
                self.net(|c| &c.slow_consumers),
            ),
        ]
    }

    fn latency(&self) -> MetricFamily {
        let mut buckets = [0; LATENCY_BOUNDS.len() + 1];
        let mut sum = 0;
        for worker in &self.workers {
            let (counts, sum_us) = worker.hub.latency();
            buckets
                .iter_mut()
                .zip(counts)
                .for_each(|(total, count)| *total += count);
            sum += sum_us;
        }
        let bounds: Vec<f64> = LATENCY_BOUNDS.iter().map(|us| float(*us) / 1e6).collect();
        let help = "From a message's acceptance until it was written to all members of a worker.";
        histogram(
            "sluice_delivery_latency_seconds",
            help,
            &bounds,
            &buckets,
            float(sum) / 1e6,
        )
    }

    fn rooms(&self) -> Vec<MetricFamily> {
        let stats = self.backbone.stats(&SIZE_BOUNDS);
        let bounds: Vec<f64> = SIZE_BOUNDS.iter().map(|bound| float(*bound)).collect();
        let help = "Members of each room there is now.";
        vec![
            gauge(
                "sluice_rooms",
                "Rooms with members or messages.",
                stats.rooms,
            ),
            gauge(
                "sluice_room_memberships",
                "Sessions in rooms, one for each room.",
                self.hub(|c| &c.memberships),
            ),
            histogram(
                "sluice_room_members",
                help,
                &bounds,
                &stats.sizes,
                float(stats.members),
            ),
            gauge(
                "sluice_history_messages",
                "Messages kept in histories.",
                stats.messages,
            ),
            gauge(
                "sluice_history_bytes",
                "Memory that histories hold, roughly.",
                stats.bytes,
            ),
            labelled(
                "sluice_recoveries_total",
                "Sessions and rooms that clients wanted to recover.",
                "outcome",
                vec![
                    ("recovered".to_owned(), self.hub(|c| &c.recovered)),
                    ("gone".to_owned(), self.hub(|c| &c.recovery_gone)),
                    ("unknown".to_owned(), self.hub(|c| &c.recovery_unknown)),
                    (
                        "unavailable".to_owned(),
                        self.hub(|c| &c.recovery_unavailable),
                    ),
                ],
            ),
        ]
    }

    fn policy(&self) -> Vec<MetricFamily> {
        let policy = self.policy.load();
        let mut families = vec![
            gauge(
                "sluice_policy_generation",
                "How often the documents have changed, from 1.",
                policy.generation,
            ),
            gauge(
                "sluice_policy_revision",
                "The revision of the documents in the bucket of the fleet; 0 for the gateway's own.",
                self.in_force.get().revision,
            ),
            counter(
                "sluice_policy_refused_total",
                "How often changed documents were refused.",
                self.in_force.refusals(),
            ),
            gauge(
                "sluice_draining",
                "Whether the gateway drains.",
                u64::from(self.drainer.drains()),
            ),
        ];
        if let Some(bucket) = &self.bucket {
            families.push(gauge(
                "sluice_control_connected",
                "Whether there is a connection to NATS for policy, revocations and backends.",
                u64::from(bucket.is_connected()),
            ));
        }
        families
    }

    fn rest(&self) -> Vec<MetricFamily> {
        let mut errors = std::collections::BTreeMap::<String, u64>::new();
        for worker in &self.workers {
            for (code, count) in worker.hub.failures() {
                *errors.entry(code).or_default() += count;
            }
        }
        let mut families = self.policy();
        let mut auth = std::collections::BTreeMap::<&str, u64>::new();
        for (outcome, count) in self.workers.iter().flat_map(|worker| worker.hub.auth()) {
            *auth.entry(outcome).or_default() += count;
        }
        if !auth.is_empty() {
            let help = "Tokens of clients by what became of them.";
            let auth = auth
                .into_iter()
                .map(|(outcome, count)| (outcome.to_owned(), count));
            families.push(labelled(
                "sluice_auth_total",
                help,
                "outcome",
                auth.collect(),
            ));
        }
        if !errors.is_empty() {
            let errors = errors.into_iter().collect();
            families.push(labelled(
                "sluice_errors_total",
                "Refusals of what clients asked for, by code.",
                "code",
                errors,
            ));
        }
        families
    }
}

impl Collector for Sources {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut families = self.connections();
        families.extend(self.sockets_and_sessions());
        families.extend(self.messages());
        families.extend(self.bytes());
        families.extend(self.rooms());
        families.extend(self.rest());
        families.extend(self.nats.iter().flat_map(|nats| backbone::families(nats)));
        let inbound = self.inbound.iter();
        families.extend(inbound.flat_map(|inbound| peers::families(inbound.counters())));
        families
    }
}
