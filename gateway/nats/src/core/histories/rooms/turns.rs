//! Which of the rooms that miss something are read now: only so many at once that NATS answers
//! all of them in time, however many there are.

use std::collections::{BTreeSet, VecDeque};

use crate::names::Place;

/// The most rooms that are read at once.
const MOST: usize = 128;

/// Rooms that are read, and rooms whose turn comes.
#[derive(Debug, Default)]
pub(super) struct Turns {
    reading: BTreeSet<Place>,
    waiting: VecDeque<Place>,
}

impl Turns {
    /// A room is to be read.
    pub(super) fn wait(&mut self, place: Place) {
        self.waiting.push_back(place);
    }

    /// The room that is read next; none while there are enough, or none waits.
    pub(super) fn next(&mut self) -> Option<Place> {
        let free = self.reading.len() < MOST;
        free.then(|| self.waiting.pop_front()).flatten()
    }

    /// The room's answer is awaited.
    pub(super) fn begin(&mut self, place: Place) {
        self.reading.insert(place);
    }

    /// The room's answer is here, or does not come.
    pub(super) fn end(&mut self, place: &Place) {
        self.reading.remove(place);
    }

    /// No answer comes any more, and nobody waits.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
