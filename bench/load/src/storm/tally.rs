//! What all clients together went through.

use std::cell::RefCell;

use tokio::time::Instant;

use crate::latency::Latency;
use crate::report::Metrics;

#[derive(Debug, Clone, Copy, Default)]
struct One {
    inside: bool,
    lost: Option<Instant>,
    moves: u32,
    /// The last round of which it got the message, and how many it got twice.
    round: u32,
    repeated: u32,
}

#[derive(Default)]
struct State {
    clients: Vec<One>,
    inside: usize,
    began: Option<Instant>,
    away: Option<Latency>,
    recovered: u64,
    joined: u64,
    refused: u64,
    /// When connections were accepted, and clients were back, after the beginning.
    accepted: Vec<Instant>,
    back: Vec<Instant>,
}

/// The record of a storm.
pub(super) struct Tally(RefCell<State>);

impl Tally {
    pub(super) fn new(clients: usize) -> Self {
        Self(RefCell::new(State {
            clients: vec![One::default(); clients],
            ..State::default()
        }))
    }

    /// How many clients are in their rooms.
    pub(super) fn inside(&self) -> usize {
        self.0.borrow().inside
    }

    /// How many have got the message of a round.
    pub(super) fn heard(&self, round: u32) -> usize {
        let state = self.0.borrow();
        state
            .clients
            .iter()
            .filter(|one| one.round >= round)
            .count()
    }

    /// The storm begins; what was before does not count.
    pub(super) fn begin(&self) {
        let mut state = self.0.borrow_mut();
        state.began = Some(Instant::now());
        state.away = Some(Latency::new());
        (state.recovered, state.joined, state.refused) = (0, 0, 0);
        for one in &mut state.clients {
            one.moves = 0;
        }
    }

    /// Whether all have moved and are back.
    pub(super) fn storm_is_over(&self) -> bool {
        let state = self.0.borrow();
        state.inside == state.clients.len() && state.clients.iter().all(|one| one.moves > 0)
    }

    /// A connection of Engine.IO is open.
    pub(super) fn accepted(&self) {
        let mut state = self.0.borrow_mut();
        if state.began.is_some() {
            state.accepted.push(Instant::now());
        }
    }

    /// A client is in its room, by recovery or because it has joined it.
    pub(super) fn back(&self, number: usize, recovered: bool) {
        let mut state = self.0.borrow_mut();
        let now = Instant::now();
        state.inside += 1;
        let Some(one) = state.clients.get_mut(number) else {
            return;
        };
        one.inside = true;
        let lost = one.lost.take();
        if state.began.is_none() {
            return;
        }
        state.back.push(now);
        state.recovered += u64::from(recovered);
        state.joined += u64::from(!recovered);
        if let (Some(lost), Some(away)) = (lost, &mut state.away) {
            away.record((now - lost).as_nanos() as u64);
        }
    }

    /// A client that was in its room has lost its connection.
    pub(super) fn lost(&self, number: usize) {
        let mut state = self.0.borrow_mut();
        state.inside -= 1;
        if let Some(one) = state.clients.get_mut(number) {
            one.inside = false;
            one.moves += 1;
            one.lost.get_or_insert_with(Instant::now);
        }
    }

    /// A try did not lead into the room.
    pub(super) fn refused(&self) {
        self.0.borrow_mut().refused += 1;
    }

    /// A client has got the message of a round.
    pub(super) fn got(&self, number: usize, round: u32) {
        if let Some(one) = self.0.borrow_mut().clients.get_mut(number) {
            one.repeated += u32::from(one.round == round);
            one.round = one.round.max(round);
        }
    }

    /// The figures; `all_heard` where the message after the storm reached everyone.
    pub(super) fn metrics(&self, all_heard: bool) -> Metrics {
        let state = self.0.borrow();
        let mut metrics = Metrics::default();
        let clients = state.clients.len();
        let heard = state.clients.iter().filter(|one| one.round >= 2).count();
        let seconds = |times: &[Instant]| {
            times
                .first()
                .zip(times.last())
                .map_or(0.0, |(a, b)| (*b - *a).as_secs_f64())
        };
        metrics.set("clients", clients as f64);
        metrics.set("left_out", (clients - state.inside) as f64);
        metrics.set(
            "unheard",
            if all_heard {
                0.0
            } else {
                (clients - heard) as f64
            },
        );
        metrics.set(
            "repeated",
            state
                .clients
                .iter()
                .map(|one| f64::from(one.repeated))
                .sum(),
        );
        metrics.set(
            "most_moves",
            state
                .clients
                .iter()
                .map(|one| f64::from(one.moves))
                .fold(0.0, f64::max),
        );
        metrics.set("recovered", state.recovered as f64);
        metrics.set("joined_anew", state.joined as f64);
        metrics.set("refused_tries", state.refused as f64);
        metrics.set("accepted", state.accepted.len() as f64);
        metrics.set("accepts_per_second_busiest", busiest(&state.accepted));
        metrics.set(
            "accepts_per_second",
            state.accepted.len() as f64 / seconds(&state.accepted).max(0.001),
        );
        metrics.set("storm_seconds", seconds(&state.back));
        if let Some(began) = state.began {
            let last = state
                .back
                .last()
                .map_or(0.0, |last| (*last - began).as_secs_f64());
            metrics.set("all_back_after_seconds", last);
        }
        if let Some(away) = &state.away {
            metrics.set("back_p50_ms", away.milliseconds(0.5));
            metrics.set("back_p99_ms", away.milliseconds(0.99));
            metrics.set("back_max_ms", away.milliseconds(1.0));
        }
        metrics
    }
}

/// The most of these times that are within one second.
fn busiest(times: &[Instant]) -> f64 {
    let within = |at: usize, time: &Instant| {
        let second = std::time::Duration::from_secs(1);
        let before = times.iter().take(at).rev();
        1 + before.take_while(|other| *time - **other < second).count()
    };
    let all = times.iter().enumerate().map(|(at, time)| within(at, time));
    all.max().unwrap_or(0) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_busiest_second_is_found_wherever_it_begins() {
        let start = Instant::now();
        let times: Vec<_> = [0, 900, 1500, 1600, 1800, 4000]
            .map(|ms| start + Duration::from_millis(ms))
            .to_vec();
        assert!((busiest(&times) - 4.0).abs() < f64::EPSILON);
        assert!(busiest(&[]).abs() < f64::EPSILON);
    }

    #[test]
    fn a_storm_is_over_when_all_have_moved_and_are_back() {
        let tally = Tally::new(2);
        tally.back(0, false);
        tally.back(1, false);
        tally.begin();
        assert!(!tally.storm_is_over());
        tally.lost(0);
        tally.back(0, true);
        assert!(!tally.storm_is_over());
        tally.lost(1);
        assert!(!tally.storm_is_over());
        tally.back(1, false);
        assert!(tally.storm_is_over());
        let metrics = tally.metrics(true);
        let figures = ["left_out", "recovered", "joined_anew", "most_moves"];
        assert_eq!(
            figures.map(|name| metrics.get(name)),
            [Some(0.0), Some(1.0), Some(1.0), Some(1.0)]
        );
    }
}
