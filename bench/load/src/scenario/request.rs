//! Requests: each connection has one outstanding and sends the next when it is answered. The
//! request is a publication to a room without members, and its acknowledgement the reply.

use clap::Args;
use serde::Serialize;

use super::answers::Answers;
use super::bench::{self, Bench, Common};
use crate::error::LoadError;
use crate::latency::Latency;
use crate::net::pool::Handler;
use crate::report::{Metrics, Report};
use crate::wire::outbox::Outbox;
use crate::wire::packet::Packet;
use crate::wire::stamp;

const ROOM: &str = "nobody";

/// What the scenario is run with.
#[derive(Args, Debug, Serialize)]
pub(crate) struct Request {
    /// Connections, each with one request outstanding.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=19_000))]
    connections: u16,
}

/// When each connection sent its request.
struct Requests {
    sent: Vec<u64>,
    data: Vec<u8>,
    latency: Latency,
    answers: Answers,
}

impl Handler for Requests {
    fn packet(&mut self, now: u64, id: usize, packet: &Packet<'_>, outbox: &mut Outbox) {
        let Packet::Ack(answer) = packet else {
            return;
        };
        self.answers.take(answer);
        if let Some(sent) = self.sent.get_mut(id) {
            self.latency.record(now.saturating_sub(*sent));
            *sent = now;
        }
        outbox.publish(ROOM, &self.data);
    }
}

pub(crate) fn run(common: &Common, settings: &Request) -> Result<Report, LoadError> {
    let mut bench = Bench::new(common, usize::from(settings.connections))?;
    let connections = bench.connect(usize::from(settings.connections))?;
    let now = bench.clock.now();
    let mut requests = Requests {
        sent: vec![now; connections.len()],
        data: stamp::blank(bench.payload_bytes),
        latency: Latency::new(),
        answers: Answers::default(),
    };
    for id in connections {
        bench.pool.publish(id, ROOM, &requests.data);
        bench.pool.flush(id);
    }
    bench.pool.run(bench.warm_up, &mut requests)?;
    requests.latency = Latency::new();
    let usage = bench.processes.usage()?;
    bench.pool.run(bench.measured, &mut requests)?;
    let used = bench.processes.since(&usage)?;
    requests.answers.check()?;
    bench.pool.check_none_lost()?;
    let mut metrics = Metrics::default();
    metrics.throughput("replies", requests.latency.count(), &used);
    requests.latency.report("reply", &mut metrics);
    bench::report("request", settings, metrics)
}
