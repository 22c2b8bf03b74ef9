//! Publications on a fixed schedule to some rooms in turn, and the latency of their deliveries
//! from the time each was *due*: a server that is late is late for all that waits behind.

use std::time::Duration;

use super::answers::Answers;
use super::bench::Bench;
use crate::error::LoadError;
use crate::latency::Latency;
use crate::net::pool::Handler;
use crate::report::Metrics;
use crate::schedule::Schedule;
use crate::wire::outbox::Outbox;
use crate::wire::packet::Packet;
use crate::wire::stamp::{self, Stamp};

/// How long deliveries may trail behind the last publication.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// A stretch of the run that is reported by itself. A delivery belongs to the window in which its
/// publication was due, however late it comes.
pub(crate) struct Window {
    from: u64,
    pub(crate) latency: Latency,
    /// Deliveries of any publication that came while the window was the current one.
    pub(crate) received: u64,
    /// Deliveries that were due.
    pub(crate) due: u64,
    /// How far behind its schedule the generator itself was.
    pub(crate) lateness: Latency,
}

impl Window {
    fn new(from: u64) -> Self {
        let (latency, lateness) = (Latency::new(), Latency::new());
        Self {
            from,
            latency,
            received: 0,
            due: 0,
            lateness,
        }
    }

    /// Puts its latencies into `metrics` as `<name>_…`, and the generator's own lateness, below
    /// which none of them says anything about the server.
    pub(crate) fn report(&self, name: &str, metrics: &mut Metrics) {
        self.latency.report(name, metrics);
        metrics.set(
            format!("{name}_generator_late_p99_ms"),
            self.lateness.milliseconds(0.99),
        );
        metrics.set(
            format!("{name}_generator_late_max_ms"),
            self.lateness.milliseconds(1.0),
        );
    }
}

/// What has come, by window.
struct Deliveries {
    windows: Vec<Window>,
    answers: Answers,
}

impl Deliveries {
    fn deliver(&mut self, now: u64, intended: u64) {
        if let Some(current) = self.windows.last_mut() {
            current.received += 1;
        }
        if let Some(window) = self
            .windows
            .iter_mut()
            .rev()
            .find(|window| window.from <= intended)
        {
            window.latency.record(now.saturating_sub(intended));
        }
    }
}

impl Handler for Deliveries {
    fn packet(&mut self, now: u64, _: usize, packet: &Packet<'_>, _: &mut Outbox) {
        match packet {
            Packet::Event(event) => {
                if let Some(stamp) = Stamp::read(event) {
                    self.deliver(now, stamp.intended);
                }
            }
            Packet::Ack(answer) => _ = self.answers.take(answer),
            _ => {}
        }
    }
}

/// Rooms of equal size, and who publishes to them.
pub(crate) struct Rooms {
    pub(crate) names: Vec<String>,
    /// Members of a room whose deliveries are measured.
    pub(crate) members: usize,
    /// The first publisher's number; they follow each other, and publish in turn.
    pub(crate) first_publisher: usize,
    pub(crate) publishers: usize,
}

/// The load: a schedule and where it goes.
pub(crate) struct Paced {
    rooms: Rooms,
    schedule: Schedule,
    /// Publications sent since the schedule began.
    sent: u64,
    data: Vec<u8>,
    deliveries: Deliveries,
    /// Whether the last stretch before a publication is due is spun.
    spins: bool,
}

impl Paced {
    /// `rate` publications a second, from now on, over all `rooms` in turn.
    pub(crate) fn new(bench: &Bench, rooms: Rooms, rate: u32) -> Self {
        let now = bench.clock.now();
        Self {
            rooms,
            schedule: Schedule::new(now, rate),
            sent: 0,
            data: stamp::blank(bench.payload_bytes),
            deliveries: Deliveries {
                windows: vec![Window::new(now)],
                answers: Answers::default(),
            },
            spins: true,
        }
    }

    /// Without spinning: publications leave up to a millisecond late, which is in their latency,
    /// and the core is free for others.
    pub(crate) fn patient(self) -> Self {
        Self {
            spins: false,
            ..self
        }
    }

    /// Begins a window. Publications that are due from here on belong to it.
    pub(crate) fn begin_window(&mut self, bench: &Bench) {
        self.deliveries.windows.push(Window::new(bench.clock.now()));
    }

    /// Begins the schedule anew after a pause, and a window with it.
    pub(crate) fn resume(&mut self, bench: &Bench) {
        let now = bench.clock.now();
        self.schedule = self.schedule.restart(now);
        self.sent = 0;
        self.deliveries.windows.push(Window::new(now));
    }

    /// Publishes for `period`; `each` is called once a turn of the loop and says whether it has
    /// more to do, so that the loop must not wait.
    pub(crate) fn run(
        &mut self,
        bench: &mut Bench,
        period: Duration,
        mut each: impl FnMut(&mut Bench) -> bool,
    ) -> Result<(), LoadError> {
        let end = bench.clock.now() + period.as_nanos() as u64;
        let mut busy = false;
        loop {
            let now = bench.clock.now();
            if now >= end {
                return Ok(());
            }
            self.send_due(bench, now);
            let longest = Duration::from_millis(if busy { 0 } else { 50 });
            let wait = if self.spins {
                self.schedule.wait(self.sent, now)
            } else {
                self.schedule.rest(self.sent, now)
            };
            bench.pool.turn(wait.min(longest), &mut self.deliveries)?;
            busy = each(bench);
        }
    }

    /// Sends what is due, each publication written at once as a client of its own would.
    fn send_due(&mut self, bench: &mut Bench, now: u64) {
        while self.sent < self.schedule.due(now) {
            let intended = self.schedule.time(self.sent);
            Stamp {
                sequence: self.sent as u32,
                intended,
            }
            .write(&mut self.data);
            let turn = self.sent as usize % self.rooms.names.len().max(1);
            let name = self.rooms.names.get(turn).map_or("", String::as_str);
            let publisher = self.sent as usize % self.rooms.publishers.max(1);
            let publisher = self.rooms.first_publisher + publisher;
            bench.pool.publish(publisher, name, &self.data);
            bench.pool.flush(publisher);
            self.sent += 1;
            let members = self.rooms.members as u64;
            if let Some(window) = self.deliveries.windows.last_mut() {
                window.due += members;
                window
                    .lateness
                    .record(bench.clock.now().saturating_sub(intended));
            }
        }
    }

    /// Publishes no more, and waits for what is still under way, within a bound.
    pub(crate) fn drain(&mut self, bench: &mut Bench) -> Result<(), LoadError> {
        let end = bench.clock.now() + DRAIN_LIMIT.as_nanos() as u64;
        while self.missing() > 0 && bench.clock.now() < end {
            bench
                .pool
                .turn(Duration::from_millis(50), &mut self.deliveries)?;
        }
        Ok(())
    }

    /// Deliveries that have not come.
    pub(crate) fn missing(&self) -> u64 {
        let due: u64 = self
            .deliveries
            .windows
            .iter()
            .map(|window| window.due)
            .sum();
        let came: u64 = self
            .deliveries
            .windows
            .iter()
            .map(|window| window.latency.count())
            .sum();
        due.saturating_sub(came)
    }

    /// The windows, the warm-up first, if every publication was accepted.
    pub(crate) fn finish(self) -> Result<Vec<Window>, LoadError> {
        self.deliveries.answers.check()?;
        Ok(self.deliveries.windows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_delivery_counts_for_the_window_it_was_due_in() {
        let windows = vec![Window::new(0), Window::new(1_000), Window::new(2_000)];
        let mut deliveries = Deliveries {
            windows,
            answers: Answers::default(),
        };
        deliveries.deliver(2_500, 1_999);
        deliveries.deliver(2_600, 2_000);
        let counts = deliveries
            .windows
            .iter()
            .map(|window| window.latency.count());
        assert_eq!(counts.collect::<Vec<_>>(), [0, 1, 1]);
        let received = deliveries.windows.iter().map(|window| window.received);
        assert_eq!(received.collect::<Vec<_>>(), [0, 0, 2]);
    }
}
