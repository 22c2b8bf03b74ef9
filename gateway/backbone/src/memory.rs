//! The backbone of one process: complete, and gone with it.

mod room;
mod rooms;
mod sequence;
mod shard;
mod users;

use std::{sync::Arc, time::Instant};

use sluice_rooms::{
    Epoch, HistoryLimits, Message, Page, Position, Query, Reading, Replayed, RoomKey, RoomMark,
    RoomSettings, SessionId,
};
use sluice_util::unix_millis;

use self::{room::Room, rooms::Rooms, sequence::Sequence, users::Users};
use crate::{
    Backbone, BackboneEvent, Bookmark, Claim, Command, Error, Gather, Joined, Members, Missed,
    Publication, Reader, Receipt, Record, Reply, SessionInfo, Stats, Stored, Workers,
};

/// How many ticks lie between two sweeps of expired messages.
const SWEEP_EVERY: u64 = 100;

/// Rooms, users and histories in this process's memory.
///
/// Messages of rooms with history take their offsets from one sequence and are handed to the
/// workers under its lock, so every worker gets them in the order of their offsets, over all
/// rooms. That order is what lets one offset say how far a session has read everywhere.
pub struct Memory {
    workers: Arc<dyn Workers>,
    sequence: Sequence,
    rooms: Rooms,
    users: Users,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Memory {
    /// A backbone for these workers.
    pub fn new(workers: Arc<dyn Workers>) -> Self {
        Self {
            workers,
            sequence: Sequence::default(),
            rooms: Rooms::default(),
            users: Users::default(),
        }
    }

    fn publish_now(&self, publication: Publication) -> Result<Receipt, Error> {
        let key = publication.room.clone();
        let settings = publication.settings;
        let limits = settings.history;
        self.rooms.with(&key, |room| {
            if let Some(duplicate) = find_duplicate(room, &publication, self.sequence.epoch()) {
                return Ok(duplicate);
            }
            if room.workers().any(|worker| self.workers.is_full(worker)) {
                return Err(Error::Overloaded);
            }
            if !room.admit(settings.messages_per_second, unix_millis()) {
                return Err(Error::RoomRate);
            }
            Ok(match limits {
                Some(limits) => self.store(room, publication, &limits),
                None => self.pass_on(room, publication),
            })
        })
    }

    fn store(&self, room: &mut Room, publication: Publication, limits: &HistoryLimits) -> Receipt {
        self.sequence.next(|epoch, offset| {
            let publisher = publication.publisher.clone();
            let message = Arc::new(message(publication, Some(Position { epoch, offset })));
            let receipt = Receipt {
                id: message.id.clone(),
                position: message.position,
                duplicate: false,
            };
            room.append(Arc::clone(&message), &publisher, limits);
            self.deliver(room, &message);
            receipt
        })
    }

    fn pass_on(&self, room: &Room, publication: Publication) -> Receipt {
        let message = Arc::new(message(publication, None));
        self.deliver(room, &message);
        Receipt {
            id: message.id.clone(),
            position: None,
            duplicate: false,
        }
    }

    fn deliver(&self, room: &Room, message: &Arc<Message>) {
        for worker in room.workers() {
            self.workers
                .deliver(worker, BackboneEvent::Room(Arc::clone(message)));
        }
    }

    fn missed_now(&self, bookmarks: &[Bookmark], reader: &Reader) -> Result<Missed, Error> {
        // Whatever has an offset is in its history, so all rooms are read as of this moment.
        let through = self.sequence.hold(|last| last);
        let mut messages = Vec::new();
        for bookmark in bookmarks.iter().filter(|b| b.settings.history.is_some()) {
            match self.rooms.replay(&bookmark.room, bookmark.after) {
                Replayed::Complete(missed) => messages.extend(missed),
                Replayed::Gone => return Err(Error::Gone),
            }
        }
        messages.retain(|message| {
            message.offset() <= through && message.except != Some(reader.session)
        });
        messages.sort_by_key(|message| message.offset());
        if reader.connected {
            for message in &mut messages {
                hold_back(message, through);
            }
        }
        let through = vec![through; bookmarks.len()];
        Ok(Missed { messages, through })
    }

    fn everyone<T: Send + 'static>(
        &self,
        deliver: impl Fn(Gather<T>) -> BackboneEvent,
    ) -> tokio::sync::oneshot::Receiver<Vec<T>> {
        let (gather, result) = Gather::new();
        for worker in 0..self.workers.count() {
            self.workers.deliver(worker, deliver(gather.clone()));
        }
        result
    }

    fn announce(&self) {
        for (key, workers, announcement) in self.rooms.announcements() {
            let announcement = Arc::new(announcement);
            for worker in workers {
                let news = Arc::clone(&announcement);
                self.workers
                    .deliver(worker, BackboneEvent::Presence(key.clone(), news));
            }
        }
    }
}

fn find_duplicate(room: &Room, publication: &Publication, epoch: Epoch) -> Option<Receipt> {
    let id = publication.id.as_ref()?;
    let offset = room.history()?.find(&publication.publisher, id)?;
    let position = Some(Position { epoch, offset });
    Some(Receipt {
        id: id.clone(),
        position,
        duplicate: true,
    })
}

/// A reader that is connected has read everything up to `through` in its other rooms.
fn hold_back(message: &mut Arc<Message>, through: u64) {
    let (Some(position), Some(room)) = (message.position, &message.room) else {
        return;
    };
    let all = Position {
        offset: through,
        ..position
    };
    let mut reading = Reading::of(all);
    reading.hold_back(RoomMark::of(room), position.offset);
    Arc::make_mut(message).read = Some(Arc::new(reading));
}

fn message(publication: Publication, position: Option<Position>) -> Message {
    Message {
        position,
        ..publication.accepted(rooms::random_id, unix_millis(), Instant::now())
    }
}

impl Backbone for Memory {
    fn subscribe(&self, worker: usize, room: &RoomKey, settings: &RoomSettings) -> Reply<Joined> {
        let epoch = self.sequence.epoch();
        Reply::Now(self.rooms.with(room, |room| {
            room.subscribe(worker, settings);
            // Under the sequence's lock nothing is on its way: what the workers have not got
            // yet has a greater offset than this.
            let offset = self.sequence.hold(|last| last);
            Ok(Joined { epoch, offset })
        }))
    }

    fn unsubscribe(&self, worker: usize, room: &RoomKey) {
        self.rooms.with_known(room, |room| room.unsubscribe(worker));
    }

    fn join(&self, room: &RoomKey, user: &Arc<str>, settings: &RoomSettings) -> Reply<()> {
        Reply::Now(
            self.rooms
                .with_members(room, |room| room.join(user, settings)),
        )
    }

    fn leave(&self, room: &RoomKey, user: &Arc<str>) {
        self.rooms.with_known_members(room, |room| room.leave(user));
    }

    fn publish(&self, publication: Publication) -> Reply<Receipt> {
        Reply::Now(self.publish_now(publication))
    }

    fn missed(&self, _worker: usize, bookmarks: &[Bookmark], reader: Reader) -> Reply<Missed> {
        Reply::Now(self.missed_now(bookmarks, &reader))
    }

    fn history(
        &self,
        room: &RoomKey,
        _settings: &RoomSettings,
        query: Query,
    ) -> Reply<(Epoch, Page)> {
        Reply::Now(Ok((self.sequence.epoch(), self.rooms.page(room, query))))
    }

    fn members(&self, room: &RoomKey, limit: usize) -> Reply<Members> {
        let members = self.rooms.peek(room, |room| {
            let (users, count) = room.presence().users(limit);
            Members { users, count }
        });
        Reply::Now(Ok(members.unwrap_or_default()))
    }

    fn command(&self, command: Command) -> Reply<u64> {
        let command = Arc::new(command);
        let done = self.everyone(|gather| BackboneEvent::Command(Arc::clone(&command), gather));
        Reply::Later(Box::pin(async move {
            Ok(done.await.unwrap_or_default().iter().sum())
        }))
    }

    fn sessions(&self, user: Option<Arc<str>>, limit: usize) -> Reply<Vec<SessionInfo>> {
        let sessions = self.everyone(|gather| BackboneEvent::Sessions(user.clone(), gather));
        Reply::Later(Box::pin(async move {
            let mut sessions = sessions.await.unwrap_or_default();
            sessions.truncate(limit);
            Ok(sessions)
        }))
    }

    fn enter(&self, user: &Arc<str>, limit: u32) -> Result<(), Error> {
        self.users.enter(user, limit)
    }

    fn exit(&self, user: &Arc<str>) {
        self.users.exit(user);
    }

    fn claim(&self, worker: usize, claim: Claim) -> Reply<Option<Record>> {
        if self.workers.count() < 2 {
            return Reply::Now(Ok(None));
        }
        let (gather, records) = Gather::new();
        for other in (0..self.workers.count()).filter(|other| *other != worker) {
            self.workers
                .deliver(other, BackboneEvent::Claim(claim.clone(), gather.clone()));
        }
        drop(gather);
        Reply::Later(Box::pin(async move {
            Ok(records.await.unwrap_or_default().pop())
        }))
    }

    fn confirm(&self, _worker: usize, _session: SessionId) -> Reply<()> {
        Reply::Now(Ok(()))
    }

    fn outlives_process(&self) -> bool {
        false
    }

    fn store(&self, _session: Stored) -> Reply<()> {
        Reply::Now(Ok(()))
    }

    fn forget(&self, _session: SessionId) {}

    fn delivered(&self) -> u64 {
        self.sequence.hold(|last| last)
    }

    fn read_up_to(&self, rooms: &mut [(RoomKey, u64)], read: &Reading) {
        for (key, from) in rooms {
            *from = read.in_room(key).max(*from);
        }
    }

    fn stats(&self, bounds: &[u64]) -> Stats {
        self.rooms.stats(bounds)
    }

    fn tick(&self) {
        self.announce();
        if self.rooms.count_tick().is_multiple_of(SWEEP_EVERY) {
            self.rooms.sweep(Instant::now());
        }
    }
}
