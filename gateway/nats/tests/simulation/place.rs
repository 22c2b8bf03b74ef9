//! The rooms of a run.

use std::{rc::Rc, time::Duration};

use sluice_rooms::{HistoryLimits, RoomKey, RoomSettings};

/// The rooms, by number. The last one has no history.
#[derive(Debug, Clone)]
pub struct Places(Rc<Vec<(RoomKey, RoomSettings)>>);

impl Places {
    pub fn new(kept: usize, max_messages: usize) -> Self {
        let history = Some(HistoryLimits {
            max_messages,
            max_age: Duration::from_hours(1),
        });
        let room = |number| {
            let settings = RoomSettings {
                history: history.filter(|_| number < kept),
                ..RoomSettings::default()
            };
            (RoomKey::new("/", format!("r{number}")), settings)
        };
        Self(Rc::new((0..=kept).map(room).collect()))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn key(&self, room: usize) -> &RoomKey {
        &self.0[room].0
    }

    pub fn settings(&self, room: usize) -> RoomSettings {
        self.0[room].1
    }

    pub fn is_kept(&self, room: usize) -> bool {
        self.0[room].1.history.is_some()
    }

    pub fn index(&self, key: &RoomKey) -> Option<usize> {
        self.0.iter().position(|(own, _)| own == key)
    }
}
