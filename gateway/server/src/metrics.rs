//! The gateway's figures, as Prometheus reads them.

mod applications;
mod backbone;
mod family;
mod peers;

use std::sync::Arc;

use arc_swap::ArcSwap;
use prometheus::{Registry, core::Collector, core::Desc, proto::MetricFamily};
use sluice_backbone::Backbone;
use sluice_bucket::Connection;
use sluice_contract::metrics::gateway as metric;
use sluice_engineio::Inbound;
use sluice_nats::Nats;
use sluice_net::{Cause, Counter, Counters};
use sluice_policy::Policy;

use self::family::{figure, float, histogram, labelled};
use crate::{
    admission::Admission,
    applications::Applications,
    drain::Drainer,
    hub::{HubCounters, LATENCY_BOUNDS},
    in_force::InForce,
    queue_limit::queue_limit,
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
    pub(crate) applications: Arc<Applications>,
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
            figure(metric::CONNECTIONS, self.admission.open()),
            figure(metric::CONNECTIONS_PEAK, self.admission.peak()),
            figure(
                metric::CONNECTIONS_LIMIT,
                u64::from(self.policy.load().max_connections),
            ),
            figure(metric::CONNECTIONS_OPENED, self.hub(|c| &c.opened)),
            labelled(metric::CONNECTIONS_CLOSED, closed),
        ]
    }

    fn sockets_and_sessions(&self) -> Vec<MetricFamily> {
        vec![
            figure(metric::SOCKETS_ACCEPTED, self.net(|c| &c.accepted)),
            figure(metric::SOCKETS_REFUSED, self.net(|c| &c.refused)),
            figure(metric::SOCKETS, self.net(|c| &c.sockets)),
            figure(
                metric::HANDSHAKES_FAILED,
                self.net(|c| &c.handshakes_failed),
            ),
            figure(metric::SESSIONS, self.hub(|c| &c.sessions)),
            figure(metric::SESSIONS_DETACHED, self.hub(|c| &c.detached)),
        ]
    }

    fn messages(&self) -> Vec<MetricFamily> {
        vec![
            figure(metric::MESSAGES_PUBLISHED, self.hub(|c| &c.published)),
            figure(metric::MESSAGES_DUPLICATE, self.hub(|c| &c.duplicates)),
            figure(metric::MESSAGES_DELIVERED, self.hub(|c| &c.deliveries)),
            figure(
                metric::MESSAGES_DROPPED,
                self.hub(|c| &c.dropped) + self.net(|c| &c.dropped),
            ),
            figure(metric::MESSAGES_THROTTLED, self.hub(|c| &c.throttled)),
            figure(metric::BACKEND_EVENTS, self.hub(|c| &c.events)),
            self.latency(),
        ]
    }

    fn bytes(&self) -> Vec<MetricFamily> {
        vec![
            figure(metric::RECEIVED_BYTES, self.net(|c| &c.bytes_in)),
            figure(metric::SENT_BYTES, self.net(|c| &c.bytes_out)),
            figure(metric::SENT_FRAMES, self.net(|c| &c.frames_out)),
            figure(metric::WRITES, self.net(|c| &c.writes)),
            figure(metric::QUEUE_BYTES, self.net(|c| &c.queued_bytes)),
            figure(metric::QUEUE_LIMIT_BYTES, queue_limit().unwrap_or_default()),
            figure(metric::REPLAY_BYTES, self.hub(|c| &c.replay_bytes)),
            figure(metric::SLOW_CONSUMERS, self.net(|c| &c.slow_consumers)),
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
        histogram(
            metric::DELIVERY_LATENCY_SECONDS,
            &bounds,
            &buckets,
            float(sum) / 1e6,
        )
    }

    fn rooms(&self) -> Vec<MetricFamily> {
        let stats = self.backbone.stats(&SIZE_BOUNDS);
        let bounds: Vec<f64> = SIZE_BOUNDS.iter().map(|bound| float(*bound)).collect();
        vec![
            figure(metric::ROOMS, stats.rooms),
            figure(metric::ROOM_MEMBERSHIPS, self.hub(|c| &c.memberships)),
            histogram(
                metric::ROOM_MEMBERS,
                &bounds,
                &stats.sizes,
                float(stats.members),
            ),
            figure(metric::HISTORY_MESSAGES, stats.messages),
            figure(metric::HISTORY_BYTES, stats.bytes),
            labelled(
                metric::RECOVERIES,
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
            figure(metric::POLICY_GENERATION, policy.generation),
            figure(metric::POLICY_REVISION, self.in_force.get().revision),
            figure(metric::POLICY_REFUSED, self.in_force.refusals()),
            figure(metric::DRAINING, u64::from(self.drainer.drains())),
        ];
        if let Some(bucket) = &self.bucket {
            families.push(figure(
                metric::CONTROL_CONNECTED,
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
            let auth = auth
                .into_iter()
                .map(|(outcome, count)| (outcome.to_owned(), count));
            families.push(labelled(metric::AUTH, auth.collect()));
        }
        if !errors.is_empty() {
            let errors = errors.into_iter().collect();
            families.push(labelled(metric::ERRORS, errors));
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
        families.extend(applications::families(
            &self.applications.all(),
            &self.workers,
        ));
        families.extend(inbound.flat_map(|inbound| peers::families(inbound.counters())));
        families
    }
}
