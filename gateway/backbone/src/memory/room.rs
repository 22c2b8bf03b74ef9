//! One room of the memory backbone.

use std::{sync::Arc, time::Instant};

use sluice_rooms::{History, HistoryLimits, Presence, PresenceMode, RoomSettings};

use crate::Error;

/// The most workers that one gateway has.
const MAX_WORKERS: usize = 128;

/// A room's subscribers, members and messages.
#[derive(Debug)]
pub(super) struct Room {
    workers: u128,
    presence: Presence,
    announced: bool,
    history: Option<Box<History>>,
    limits: Option<HistoryLimits>,
    second: u64,
    published: u32,
}

impl Room {
    pub(super) fn new() -> Self {
        Self {
            workers: 0,
            presence: Presence::default(),
            announced: false,
            history: None,
            limits: None,
            second: 0,
            published: 0,
        }
    }

    pub(super) fn subscribe(&mut self, worker: usize, settings: &RoomSettings) {
        debug_assert!(worker < MAX_WORKERS, "workers are bounded when the gateway starts");
        self.workers |= 1 << worker;
        self.apply(settings);
    }

    pub(super) fn unsubscribe(&mut self, worker: usize) {
        self.workers &= !(1 << worker);
    }

    /// The workers with members here.
    pub(super) fn workers(&self) -> impl Iterator<Item = usize> + use<> {
        let mut left = self.workers;
        std::iter::from_fn(move || {
            let next = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (next < MAX_WORKERS).then_some(next)
        })
    }

    pub(super) fn set_limits(&mut self, limits: &HistoryLimits) {
        self.limits = Some(*limits);
    }

    fn apply(&mut self, settings: &RoomSettings) {
        self.limits = settings.history;
        self.announced = settings.presence == PresenceMode::Announced;
    }

    pub(super) fn join(&mut self, user: &Arc<str>, settings: &RoomSettings) -> Result<(), Error> {
        self.apply(settings);
        if settings.members.is_some_and(|most| self.presence.sessions() >= most) {
            return Err(Error::RoomFull);
        }
        self.presence.join(user);
        Ok(())
    }

    pub(super) fn leave(&mut self, user: &Arc<str>) {
        self.presence.leave(user);
    }

    /// Whether one more message fits into this second.
    pub(super) fn admit(&mut self, per_second: Option<u32>, now_ms: u64) -> bool {
        let Some(per_second) = per_second else { return true };
        let second = now_ms / 1000;
        if second != self.second {
            (self.second, self.published) = (second, 0);
        }
        self.published += 1;
        self.published <= per_second
    }

    pub(super) fn presence(&self) -> &Presence {
        &self.presence
    }

    /// What to tell members of who came and went. Rooms that announce nothing forget it.
    pub(super) fn announce(&mut self) -> Option<sluice_rooms::Announcement> {
        self.presence.announce().filter(|_| self.announced)
    }

    /// The history, made now if the room has none yet.
    pub(super) fn history(&mut self, floor: u64) -> &mut History {
        self.history.get_or_insert_with(|| Box::new(History::after(floor)))
    }

    pub(super) fn known_history(&self) -> Option<&History> {
        self.history.as_deref()
    }

    /// Drops what has expired. Returns the last offset of a room that nobody needs any more.
    pub(super) fn sweep(&mut self, now: Instant) -> Option<u64> {
        let kept = match (&mut self.history, &self.limits) {
            (Some(history), Some(limits)) => history.expire(now, limits.max_age),
            (history, None) => {
                // The room keeps no history any more; its offsets stay spoken for.
                let last = history.take().map_or(0, |h| h.last());
                return (self.workers == 0 && self.presence.is_empty()).then_some(last);
            }
            (None, _) => false,
        };
        let needed = kept || self.workers != 0 || !self.presence.is_empty();
        (!needed).then(|| self.history.as_ref().map_or(0, |h| h.last()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subscribed_worker_is_listed_once() {
        let mut room = Room::new();
        for worker in [0, 5, 127, 5] {
            room.subscribe(worker, &RoomSettings::default());
        }
        assert_eq!(room.workers().collect::<Vec<_>>(), [0, 5, 127]);
        room.unsubscribe(5);
        assert_eq!(room.workers().collect::<Vec<_>>(), [0, 127]);
    }

    #[test]
    fn a_room_takes_so_many_messages_a_second() {
        let mut room = Room::new();
        assert!(room.admit(Some(1), 1_000));
        assert!(!room.admit(Some(1), 1_999));
        assert!(room.admit(Some(1), 2_000));
    }

    #[test]
    fn a_full_room_refuses_a_member() {
        let mut room = Room::new();
        let settings = RoomSettings { members: Some(1), ..RoomSettings::default() };
        assert_eq!(room.join(&"ann".into(), &settings), Ok(()));
        assert_eq!(room.join(&"bob".into(), &settings), Err(Error::RoomFull));
    }
}
