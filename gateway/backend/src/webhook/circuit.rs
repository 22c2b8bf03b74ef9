//! When to leave a failing backend alone: a state machine whose clock is given to it.

use std::time::{Duration, Instant};

/// When a circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CircuitSettings {
    /// It opens after so many failures in a row.
    pub consecutive: u32,
    /// It opens when of at least `volume` tries within `window` this share failed.
    pub ratio: f64,
    /// See `ratio`.
    pub volume: u32,
    /// See `ratio`.
    pub window: Duration,
    /// How long it is open at first. Each probe that fails doubles the time.
    pub open: Duration,
    /// How long it is open at most.
    pub longest: Duration,
}

impl Default for CircuitSettings {
    /// 10 in a row, or half of at least 20 within 10 seconds; open for 1 second up to 30.
    fn default() -> Self {
        Self {
            consecutive: 10,
            ratio: 0.5,
            volume: 20,
            window: Duration::from_secs(10),
            open: Duration::from_secs(1),
            longest: Duration::from_secs(30),
        }
    }
}

/// Whether a try may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may; its outcome is to be told with the ticket.
    Granted(Ticket),
    /// It may not.
    Refused,
}

/// Stands for one try. What became of a try counts only if the circuit has not changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Closed(Tally),
    Open {
        until: Instant,
    },
    /// One probe is out.
    Probing,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Tally {
    since: Instant,
    tried: u32,
    failed: u32,
    in_a_row: u32,
}

impl Tally {
    fn new(since: Instant) -> Self {
        Self {
            since,
            tried: 0,
            failed: 0,
            in_a_row: 0,
        }
    }
}

/// Closed while the backend works, open while it is left alone, and between the two one try is
/// sent to see how it does.
#[derive(Debug)]
pub(super) struct Circuit {
    settings: CircuitSettings,
    state: State,
    /// Grows with each change of state.
    changes: u64,
    /// How long the circuit is open the next time.
    next_open: Duration,
}

impl Circuit {
    /// A closed circuit.
    pub(super) fn new(settings: CircuitSettings, now: Instant) -> Self {
        Self {
            settings,
            state: State::Closed(Tally::new(now)),
            changes: 0,
            next_open: settings.open,
        }
    }

    /// Takes other settings, from the next outcome on.
    pub(super) fn set(&mut self, settings: CircuitSettings) {
        self.settings = settings;
    }

    /// Whether it lets tries through as if nothing had happened.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed(_))
    }

    /// Asks whether a try may go out.
    pub(super) fn admit(&mut self, now: Instant) -> Admission {
        match self.state {
            State::Closed(_) => {}
            State::Open { until } if until <= now => self.become_state(State::Probing),
            State::Open { .. } | State::Probing => return Admission::Refused,
        }
        Admission::Granted(Ticket(self.changes))
    }

    /// A try was answered.
    pub(super) fn succeeded(&mut self, ticket: Ticket, now: Instant) {
        if ticket.0 != self.changes {
            return;
        }
        match &mut self.state {
            State::Closed(tally) => {
                renew(tally, now, self.settings.window);
                tally.tried = tally.tried.saturating_add(1);
                tally.in_a_row = 0;
            }
            State::Open { .. } => {}
            State::Probing => {
                self.next_open = self.settings.open;
                self.become_state(State::Closed(Tally::new(now)));
            }
        }
    }

    /// A try was not answered, or by an error of the backend.
    pub(super) fn failed(&mut self, ticket: Ticket, now: Instant) {
        if ticket.0 != self.changes {
            return;
        }
        let must_open = match &mut self.state {
            State::Closed(tally) => {
                renew(tally, now, self.settings.window);
                tally.tried = tally.tried.saturating_add(1);
                tally.failed = tally.failed.saturating_add(1);
                tally.in_a_row = tally.in_a_row.saturating_add(1);
                is_too_much(tally, &self.settings)
            }
            State::Open { .. } => false,
            State::Probing => true,
        };
        if must_open {
            self.become_state(State::Open {
                until: now + self.next_open,
            });
            self.next_open = (self.next_open * 2).min(self.settings.longest);
        }
    }

    fn become_state(&mut self, state: State) {
        self.state = state;
        self.changes += 1;
    }
}

/// Begins a new window when the last one is over. Failures in a row go on.
fn renew(tally: &mut Tally, now: Instant, window: Duration) {
    if now.saturating_duration_since(tally.since) > window {
        *tally = Tally {
            in_a_row: tally.in_a_row,
            ..Tally::new(now)
        };
    }
}

fn is_too_much(tally: &Tally, settings: &CircuitSettings) -> bool {
    let share = f64::from(tally.failed) / f64::from(tally.tried);
    tally.in_a_row >= settings.consecutive
        || (tally.tried >= settings.volume && share >= settings.ratio)
}

#[cfg(test)]
mod tests;
