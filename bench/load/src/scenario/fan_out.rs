//! One room with many members, or several with fewer, and few publishers outside. The next publication leaves when at
//! most W−1 are not yet delivered to all their members: W = 1 shows what a delivery costs by itself, a larger W
//! what the server gains by putting several into one write.

use std::ops::Range;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::answers::Answers;
use super::bench::{self, Bench, Common};
use crate::error::LoadError;
use crate::net::pool::Handler;
use crate::report::{Metrics, Report};
use crate::wire::outbox::Outbox;
use crate::wire::packet::Packet;
use crate::wire::stamp::{self, Stamp};

/// How long deliveries may trail behind the last publication.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);
/// How long nothing may come while the window is full, before what is missing counts as lost.
const STALL_LIMIT: Duration = Duration::from_secs(1);
/// The most publications under way; the bound of `--in-flight`.
const MOST_IN_FLIGHT: usize = 256;

/// What the scenario is run with.
#[derive(Args, Debug, Serialize)]
pub(crate) struct FanOut {
    /// Rooms, which are published to in turn.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    rooms: u32,
    /// Members of a room.
    #[arg(long, default_value_t = 1000)]
    members: usize,
    /// Connections outside the rooms that publish in turn.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    publishers: u32,
    /// W: publications that are under way at the same time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    in_flight: u16,
}

/// Which publications are under way, and how many deliveries each still lacks.
struct Progress {
    members: u32,
    missing: [u32; MOST_IN_FLIGHT],
    in_flight: usize,
    deliveries: u64,
    lost: u64,
    answers: Answers,
}

impl Progress {
    fn new(members: usize) -> Self {
        Self {
            members: u32::try_from(members).unwrap_or(u32::MAX),
            missing: [0; MOST_IN_FLIGHT],
            in_flight: 0,
            deliveries: 0,
            lost: 0,
            answers: Answers::default(),
        }
    }

    fn begin(&mut self, sequence: u32) {
        if let Some(missing) = self.missing.get_mut(sequence as usize % MOST_IN_FLIGHT) {
            // What is still missing of the one 256 before it will not come any more.
            self.lost += u64::from(*missing);
            self.in_flight += usize::from(*missing == 0);
            *missing = self.members;
        }
    }

    /// Deliveries that have not come.
    fn missing(&self) -> u64 {
        self.lost + self.missing.iter().copied().map(u64::from).sum::<u64>()
    }

    /// Counts all that is under way as lost, so that the window is empty.
    fn give_up(&mut self) {
        self.lost = self.missing();
        self.missing = [0; MOST_IN_FLIGHT];
        self.in_flight = 0;
    }

    fn deliver(&mut self, sequence: u32) {
        self.deliveries += 1;
        if let Some(missing) = self.missing.get_mut(sequence as usize % MOST_IN_FLIGHT) {
            *missing = missing.saturating_sub(1);
            self.in_flight -= usize::from(*missing == 0);
        }
    }
}

impl Handler for Progress {
    fn packet(&mut self, _: u64, _: usize, packet: &Packet<'_>, _: &mut Outbox) {
        match packet {
            Packet::Event(event) => {
                if let Some(stamp) = Stamp::read(event) {
                    self.deliver(stamp.sequence);
                }
            }
            Packet::Ack(answer) => _ = self.answers.take(answer),
            _ => {}
        }
    }
}

pub(crate) fn run(common: &Common, settings: &FanOut) -> Result<Report, LoadError> {
    let publishers = settings.publishers as usize;
    let (rooms, members) = (settings.rooms as usize, settings.members);
    let mut bench = Bench::new(common, rooms * members + publishers)?;
    let name = |room: usize| format!("fan-out-{room}");
    bench.join(rooms * members, |index| name(index / members))?;
    let publishers = bench.connect(publishers)?;
    let mut load = Load {
        window: usize::from(settings.in_flight),
        data: stamp::blank(bench.payload_bytes),
        progress: Progress::new(members),
        rooms: (0..rooms).map(name).collect(),
        publishers,
        sequence: 0,
    };
    let (warm_up, measured) = (bench.warm_up, bench.measured);
    load.run(&mut bench, warm_up)?;
    let usage = bench.processes.usage()?;
    let before = load.progress.deliveries;
    load.progress.lost = 0;
    load.run(&mut bench, measured)?;
    let used = bench.processes.since(&usage)?;
    let mut metrics = Metrics::default();
    metrics.throughput("deliveries", load.progress.deliveries - before, &used);
    load.drain(&mut bench)?;
    metrics.set("lost_deliveries", load.progress.missing() as f64);
    bench::report("fan-out", settings, metrics)
}

/// Keeps the window full.
struct Load {
    window: usize,
    data: Vec<u8>,
    progress: Progress,
    rooms: Vec<String>,
    publishers: Range<usize>,
    sequence: u32,
}

impl Load {
    fn run(&mut self, bench: &mut Bench, period: Duration) -> Result<(), LoadError> {
        let began = Instant::now();
        let (mut seen, mut moved) = (self.progress.deliveries, began);
        while began.elapsed() < period {
            if self.progress.deliveries != seen {
                (seen, moved) = (self.progress.deliveries, Instant::now());
            } else if moved.elapsed() > STALL_LIMIT {
                self.progress.give_up();
                moved = Instant::now();
            }
            self.fill(bench);
            bench
                .pool
                .turn(Duration::from_millis(10), &mut self.progress)?;
        }
        self.progress.answers.check()?;
        bench.pool.check_none_lost()
    }

    /// Waits for what is still under way, within a bound.
    fn drain(&mut self, bench: &mut Bench) -> Result<(), LoadError> {
        let began = Instant::now();
        while self.progress.in_flight > 0 && began.elapsed() < DRAIN_LIMIT {
            bench
                .pool
                .turn(Duration::from_millis(50), &mut self.progress)?;
        }
        bench.pool.check_none_lost()
    }

    fn fill(&mut self, bench: &mut Bench) {
        if self.progress.in_flight >= self.window {
            return;
        }
        while self.progress.in_flight < self.window {
            let stamp = Stamp {
                sequence: self.sequence,
                intended: bench.clock.now(),
            };
            stamp.write(&mut self.data);
            let turn = self.sequence as usize % self.publishers.len();
            let room = self.sequence as usize % self.rooms.len().max(1);
            let room = self.rooms.get(room).map_or("", String::as_str);
            bench
                .pool
                .publish(self.publishers.start + turn, room, &self.data);
            self.progress.begin(self.sequence);
            self.sequence = self.sequence.wrapping_add(1);
        }
        self.publishers
            .clone()
            .for_each(|publisher| bench.pool.flush(publisher));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publication_is_under_way_until_its_last_delivery() {
        let mut progress = Progress::new(2);
        progress.begin(7);
        progress.begin(8);
        progress.deliver(8);
        progress.deliver(7);
        assert_eq!(progress.in_flight, 2);
        progress.deliver(7);
        assert_eq!((progress.in_flight, progress.deliveries), (1, 3));
    }

    #[test]
    fn a_lost_delivery_holds_its_place_only_until_the_place_comes_round() {
        let mut progress = Progress::new(2);
        let round = MOST_IN_FLIGHT as u32;
        progress.begin(7);
        progress.deliver(7);
        progress.begin(7 + round);
        assert_eq!((progress.in_flight, progress.missing()), (1, 3));
        progress.deliver(7 + round);
        progress.deliver(7 + round);
        assert_eq!((progress.in_flight, progress.missing()), (0, 1));
    }
}
