//! One process's share of the connections, with rooms of its own.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::Hold;
use crate::error::LoadError;
use crate::net::pool::Ignore;
use crate::scenario::bench::{Bench, Common};
use crate::scenario::paced::{Paced, Rooms};

/// Connections outside the rooms that publish in turn.
const PUBLISHERS: usize = 12;
/// How long the connections are served between two looks for the word to go on.
const LOOK: Duration = Duration::from_millis(20);

/// What a part says once all its connections are in their rooms.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) connections: usize,
    pub(crate) rooms: usize,
    pub(crate) joins: usize,
    /// From the first connection that is opened to the last that has joined.
    pub(crate) seconds: f64,
}

/// What came of a part's publications.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) due: u64,
    pub(crate) received: u64,
    pub(crate) lost: u64,
    /// Nanoseconds and how often.
    pub(crate) latency: Vec<(u64, u64)>,
    pub(crate) lateness: Vec<(u64, u64)>,
}

/// How a part's connections are spread over its rooms.
#[derive(Clone, Copy, Debug)]
struct Layout {
    connections: usize,
    joins: usize,
    members: usize,
    part: u16,
}

impl Layout {
    /// The share of part `number`, rounded down to full rooms.
    fn new(settings: &Hold, number: u16) -> Self {
        let members = usize::from(settings.members);
        let share = settings.connections / usize::from(settings.parts.max(1));
        Self {
            connections: share / members * members,
            joins: usize::from(settings.joins),
            members,
            part: number,
        }
    }

    fn rooms(&self) -> usize {
        self.connections / self.members * self.joins
    }

    fn name(&self, room: usize) -> String {
        format!("hold-{}-{room}", self.part)
    }

    /// The rooms of connection `index`. Connections that follow each other, which go to different
    /// servers, are in a room together.
    fn rooms_of(&self, index: usize) -> Vec<String> {
        let block = self.connections / self.members;
        (0..self.joins)
            .map(|join| self.name(join * block + index / self.members))
            .collect()
    }
}

/// Sets up, says so, publishes when told to, and says what came of it.
pub(super) fn run(
    common: &Common,
    settings: &Hold,
    number: u16,
    mut output: impl Write,
) -> Result<(), LoadError> {
    let layout = Layout::new(settings, number);
    let mut bench = Bench::new(common, layout.connections + PUBLISHERS)?;
    bench.users_from(usize::from(number) * (layout.connections + PUBLISHERS));
    let (_, took) = bench.join_all(layout.connections, |index| layout.rooms_of(index))?;
    let first_publisher = bench.connect(PUBLISHERS)?.start;
    let ready = Ready {
        connections: layout.connections,
        rooms: layout.rooms(),
        joins: layout.connections * layout.joins,
        seconds: took.as_secs_f64(),
    };
    let words = words();
    say(&mut output, &ready)?;
    rest_until(&mut bench, &words, 1)?;
    let mut names: Vec<String> = (0..layout.rooms()).map(|room| layout.name(room)).collect();
    names.shuffle(&mut rand::rng());
    let rooms = Rooms {
        names,
        members: layout.members,
        first_publisher,
        publishers: PUBLISHERS,
    };
    let rate = settings.rate / u32::from(settings.members) / u32::from(settings.parts);
    let outcome = publish(&mut bench, rooms, rate)?;
    say(&mut output, &outcome)?;
    rest_until(&mut bench, &words, 2)
}

/// Publishes for the time that is measured; several parts share a core, so that none may spin.
fn publish(bench: &mut Bench, rooms: Rooms, rate: u32) -> Result<Outcome, LoadError> {
    let mut paced = Paced::new(bench, rooms, rate).patient();
    paced.run(bench, bench.measured, |_| false)?;
    paced.drain(bench)?;
    bench.pool.check_none_lost()?;
    let lost = paced.missing();
    let windows = paced.finish()?;
    let window = windows.first();
    Ok(Outcome {
        due: window.map_or(0, |window| window.due),
        received: window.map_or(0, |window| window.received),
        lost,
        latency: window.map_or_else(Vec::new, |window| window.latency.counts()),
        lateness: window.map_or_else(Vec::new, |window| window.lateness.counts()),
    })
}

fn say(output: &mut impl Write, what: &impl Serialize) -> Result<(), LoadError> {
    let line = serde_json::to_string(what).map_err(std::io::Error::from)?;
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

/// How many lines were read from stdin; a great many once it has ended.
fn words() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    thread::spawn(move || {
        for _ in std::io::stdin().lines() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        counter.store(usize::MAX, Ordering::Relaxed);
    });
    count
}

/// Serves the connections, whose heartbeats go on, until `count` words were heard.
fn rest_until(bench: &mut Bench, words: &AtomicUsize, count: usize) -> Result<(), LoadError> {
    loop {
        match words.load(Ordering::Relaxed) {
            usize::MAX if count == 1 => {
                return Err(LoadError::Suite("nobody says when to go on".to_owned()));
            }
            heard if heard >= count => return Ok(()),
            _ => bench.pool.run(LOOK, &mut Ignore)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_room_has_its_members_and_no_connection_is_twice_in_one() {
        let layout = Layout {
            connections: 12,
            joins: 3,
            members: 2,
            part: 1,
        };
        let mut members: HashMap<String, Vec<usize>> = HashMap::new();
        for index in 0..12 {
            for room in layout.rooms_of(index) {
                members.entry(room).or_default().push(index);
            }
        }
        assert_eq!(members.len(), layout.rooms());
        for room in 0..layout.rooms() {
            let members = &members[&layout.name(room)];
            assert_eq!(members.len(), 2);
            assert_eq!(members[0] + 1, members[1]);
        }
    }
}
