//! One room of the memory backbone.

use std::{sync::Arc, time::Instant};

use sluice_rooms::{
    Announcement, History, HistoryLimits, Message, Page, Presence, PresenceMode, Publisher, Query,
    Replayed, RoomSettings,
};

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
    /// While there is no history: no message of the room that is gone has a greater offset.
    floor: u64,
    limits: Option<HistoryLimits>,
    second: u64,
    published: u32,
}

impl Room {
    /// A room that no message with an offset greater than `floor` was forgotten of.
    pub(super) fn new(floor: u64) -> Self {
        Self {
            workers: 0,
            presence: Presence::default(),
            announced: false,
            history: None,
            floor,
            limits: None,
            second: 0,
            published: 0,
        }
    }

    pub(super) fn subscribe(&mut self, worker: usize, settings: &RoomSettings) {
        debug_assert!(
            worker < MAX_WORKERS,
            "workers are bounded when the gateway starts"
        );
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

    fn apply(&mut self, settings: &RoomSettings) {
        self.limits = settings.history;
        self.announced = settings.presence == PresenceMode::Announced;
    }

    pub(super) fn join(&mut self, user: &Arc<str>, settings: &RoomSettings) -> Result<(), Error> {
        self.apply(settings);
        if settings
            .members
            .is_some_and(|most| self.presence.sessions() >= most)
        {
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
        let Some(per_second) = per_second else {
            return true;
        };
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
    pub(super) fn announce(&mut self) -> Option<Announcement> {
        self.presence.announce().filter(|_| self.announced)
    }

    /// Keeps a message whose offset is the greatest so far.
    pub(super) fn append(
        &mut self,
        message: Arc<Message>,
        publisher: &Publisher,
        limits: &HistoryLimits,
    ) {
        self.limits = Some(*limits);
        let floor = self.floor;
        let history = self
            .history
            .get_or_insert_with(|| Box::new(History::after(floor)));
        history.append(message, publisher, limits);
    }

    /// How many bytes of messages it keeps.
    pub(super) fn bytes(&self) -> usize {
        self.history.as_ref().map_or(0, |history| history.bytes())
    }

    /// Drops the oldest message, unless it is the only one. Returns whether it did.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let history = self.history.as_mut().filter(|history| history.len() > 1);
        history.map(|history| history.drop_oldest()).is_some()
    }

    pub(super) fn history(&self) -> Option<&History> {
        self.history.as_deref()
    }

    /// Every message after `offset`, or that some of it is gone.
    pub(super) fn replay(&self, offset: u64) -> Replayed {
        match &self.history {
            Some(history) => history.replay(offset),
            None => History::after(self.floor).replay(offset),
        }
    }

    pub(super) fn page(&self, query: Query) -> Page {
        match &self.history {
            Some(history) => history.page(query),
            None => History::after(self.floor).page(query),
        }
    }

    /// Drops what has expired. Where nobody needs the room any more, returns the greatest offset
    /// that it forgets.
    pub(super) fn sweep(&mut self, now: Instant) -> Option<u64> {
        match (&mut self.history, &self.limits) {
            (Some(history), Some(limits)) => {
                history.expire(now, limits.max_age);
            }
            // The room keeps no history any more; its offsets stay spoken for.
            (history, None) => self.floor = history.take().map_or(self.floor, |h| h.last()),
            (None, Some(_)) => {}
        }
        let kept = self
            .history
            .as_ref()
            .is_some_and(|history| !history.is_empty());
        let needed = kept || self.workers != 0 || !self.presence.is_empty();
        (!needed).then(|| self.history.as_ref().map_or(self.floor, |h| h.last()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subscribed_worker_is_listed_once() {
        let mut room = Room::new(0);
        for worker in [0, 5, 127, 5] {
            room.subscribe(worker, &RoomSettings::default());
        }
        assert_eq!(room.workers().collect::<Vec<_>>(), [0, 5, 127]);
        room.unsubscribe(5);
        assert_eq!(room.workers().collect::<Vec<_>>(), [0, 127]);
    }

    #[test]
    fn a_room_takes_so_many_messages_a_second() {
        let mut room = Room::new(0);
        assert!(room.admit(Some(1), 1_000));
        assert!(!room.admit(Some(1), 1_999));
        assert!(room.admit(Some(1), 2_000));
    }

    #[test]
    fn a_full_room_refuses_a_member() {
        let mut room = Room::new(0);
        let settings = RoomSettings {
            members: Some(1),
            ..RoomSettings::default()
        };
        assert_eq!(room.join(&"ann".into(), &settings), Ok(()));
        assert_eq!(room.join(&"bob".into(), &settings), Err(Error::RoomFull));
    }
}
