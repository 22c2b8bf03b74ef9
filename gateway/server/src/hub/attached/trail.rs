//! What a session was in, and when, as far as a client that comes back may ask.

use std::sync::Arc;

use sluice_applications::Stay;

/// The most rooms that it left, and handles that it had, which are remembered.
const MOST: usize = 64;

/// The rooms that a session is in or was lately, and what gateway and instances called it.
#[derive(Debug, Default)]
pub(in crate::hub) struct Trail {
    pub(in crate::hub) rooms: Vec<Stay<Arc<str>>>,
    pub(in crate::hub) handles: Vec<Stay<u64>>,
    /// The log whose numbers these are.
    pub(in crate::hub) log: u64,
    /// The number of the last emission before the session began.
    pub(in crate::hub) began: u64,
    /// Up to this number it is not known what it was in.
    pub(in crate::hub) unknown: u64,
}

impl Trail {
    /// The session is called by another handle from here on.
    pub(in crate::hub) fn called(&mut self, handle: u64, seq: u64) {
        for stay in &mut self.handles {
            stay.until = stay.until.min(seq);
        }
        self.handles.push(Stay::since(handle, seq));
        self.unknown = self.unknown.max(shorten(&mut self.handles));
    }

    /// It is in a room from here on, where it was not.
    pub(in crate::hub) fn join(&mut self, room: &Arc<str>, seq: u64) {
        if !self.current().any(|known| known == room) {
            self.rooms.push(Stay::since(Arc::clone(room), seq));
        }
    }

    /// It is in a room no longer.
    pub(in crate::hub) fn leave(&mut self, room: &str, seq: u64) {
        let mut rooms = self.rooms.iter_mut();
        if let Some(stay) = rooms.find(|stay| stay.until == u64::MAX && *stay.of == *room) {
            stay.until = seq;
        }
        self.unknown = self.unknown.max(shorten(&mut self.rooms));
    }

    /// The rooms that it is in.
    pub(in crate::hub) fn current(&self) -> impl Iterator<Item = &Arc<str>> {
        let rooms = self.rooms.iter().filter(|stay| stay.until == u64::MAX);
        rooms.map(|stay| &stay.of)
    }
}

/// Forgets the stay that ended first, where there are too many that have ended: up to where.
fn shorten<T>(stays: &mut Vec<Stay<T>>) -> u64 {
    let ended = stays
        .iter()
        .enumerate()
        .filter(|(_, stay)| stay.until != u64::MAX);
    if ended.clone().count() <= MOST {
        return 0;
    }
    let first = ended.min_by_key(|(_, stay)| stay.until);
    let first = first.map(|(at, _)| at);
    first.map_or(0, |at| stays.remove(at).until)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_too_long_ago_is_known_to_be_unknown() {
        let mut trail = Trail::default();
        for seq in 0..100 {
            let room: Arc<str> = format!("r{seq}").into();
            trail.join(&room, seq);
            trail.join(&room, seq + 1);
            trail.leave(&room, seq + 1);
        }
        assert_eq!((trail.rooms.len(), trail.unknown), (MOST, 36));
        assert_eq!(trail.current().count(), 0);
        trail.called(1, 100);
        trail.called(2, 105);
        let called: Vec<_> = trail
            .handles
            .iter()
            .map(|stay| (stay.of, stay.until))
            .collect();
        assert_eq!(called, [(1, 105), (2, u64::MAX)]);
    }
}
