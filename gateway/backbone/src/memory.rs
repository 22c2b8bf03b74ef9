//! The backbone of one process: complete, and gone with it.

mod claims;
mod kept_bytes;
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

use self::{
    claims::Claims, kept_bytes::KeptBytes, room::Room, rooms::Rooms, sequence::Sequence,
    users::Users,
};
use crate::{
    Backbone, BackboneEvent, Bookmark, Claim, Command, Completion, Error, Gather, Joined, Members,
    Missed, Publication, Reader, Receipt, Record, Reply, SessionInfo, Stats, Stored, Workers,
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
    rooms: Arc<Rooms>,
    kept: KeptBytes,
    users: Users,
    claims: Arc<Claims>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Memory {
    /// A backbone for these workers, whose histories have no bound in bytes together.
    pub fn new(workers: Arc<dyn Workers>) -> Self {
        Self::bounded(workers, usize::MAX)
    }

    /// As [`Self::new`], with so many bytes of messages at most in all histories together. Where
    /// they are full, a room makes room for a new message by its own oldest ones, and is refused
    /// with [`Error::Overloaded`] where it has none that would do: what others keep stays.
    pub fn bounded(workers: Arc<dyn Workers>, history_bytes: usize) -> Self {
        Self {
            workers,
            sequence: Sequence::default(),
            rooms: Arc::default(),
            kept: KeptBytes::new(history_bytes),
            users: Users::default(),
            claims: Arc::default(),
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
            let bytes = publication.size();
            if limits.is_some() && !self.kept.has_room(bytes, room.bytes()) {
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
            let before = room.bytes();
            room.append(Arc::clone(&message), &publisher, limits);
            self.kept.make_room(room, before);
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

    /// Answers a worker by the last offset: behind all messages up to it, before all that follow.
    ///
    /// While the sequence stands still nothing is on its way, so what the worker is left now
    /// belongs exactly here.
    fn in_order<T: Send + 'static>(
        &self,
        worker: usize,
        answer: impl FnOnce(u64) -> Result<T, Error> + Send + 'static,
    ) -> Reply<T> {
        enum Turn<A, T> {
            Now(u64, A),
            Later(Reply<T>),
        }
        let turn = self.sequence.hold(|last| {
            if self.workers.is_idle(worker) {
                return Turn::Now(last, answer);
            }
            let (completion, reply) = Completion::answering(move || answer(last));
            self.workers
                .deliver(worker, BackboneEvent::Completion(completion));
            Turn::Later(reply)
        });
        match turn {
            Turn::Now(last, answer) => Reply::Now(answer(last)),
            Turn::Later(reply) => reply,
        }
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

    /// Announces under the rooms' locks: who is told afterwards who is in a room is told so behind
    /// it.
    fn announce(&self) {
        self.rooms.announce(|key, worker, news| {
            self.workers
                .deliver(worker, BackboneEvent::Presence(key.clone(), news));
        });
    }
}

/// What a reader missed up to an offset that all its rooms are read to.
fn missed(
    rooms: &Rooms,
    bookmarks: &[Bookmark],
    reader: &Reader,
    through: u64,
) -> Result<Missed, Error> {
    let mut messages = Vec::new();
    for bookmark in bookmarks.iter().filter(|b| b.settings.history.is_some()) {
        match rooms.replay(&bookmark.room, bookmark.after) {
            Replayed::Complete(missed) => messages.extend(missed),
            Replayed::Gone => return Err(Error::Gone),
        }
    }
    messages
        .retain(|message| message.offset() <= through && message.except != Some(reader.session));
    messages.sort_by_key(|message| message.offset());
    if reader.connected {
        for message in &mut messages {
            hold_back(message, through);
        }
    }
    let through = vec![through; bookmarks.len()];
    Ok(Missed { messages, through })
}

fn find_duplicate(room: &Room, publication: &Publication, epoch: Epoch) -> Option<Receipt> {
    let id = publication.id.as_ref()?;
    let max_age = publication.settings.history?.max_age;
    let offset = room
        .history()?
        .find(&publication.publisher, id, Instant::now(), max_age)?;
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
        self.rooms.with(room, |room| {
            room.subscribe(worker, settings);
            self.in_order(worker, move |offset| Ok(Joined { epoch, offset }))
        })
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

    fn missed(&self, worker: usize, bookmarks: &[Bookmark], reader: Reader) -> Reply<Missed> {
        let (rooms, bookmarks) = (Arc::clone(&self.rooms), bookmarks.to_vec());
        self.in_order(worker, move |through| {
            missed(&rooms, &bookmarks, &reader, through)
        })
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
        let is_message = matches!(command, Command::Send(..));
        let mut workers = 0..self.workers.count();
        if is_message && workers.any(|worker| self.workers.is_full(worker)) {
            return Reply::Now(Err(Error::Overloaded));
        }
        let command = Arc::new(command);
        let done = self.everyone(|gather| BackboneEvent::Command(Arc::clone(&command), gather));
        Reply::Later(Box::pin(async move {
            Ok(done.await.unwrap_or_default().iter().sum())
        }))
    }

    fn sessions(&self, user: Option<Arc<str>>, limit: usize) -> Reply<Vec<SessionInfo>> {
        let sessions = self.everyone(|gather| BackboneEvent::Sessions(user.clone(), limit, gather));
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
        self.claims.claim(&self.workers, worker, &claim)
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
            self.kept.freed(self.rooms.sweep(Instant::now()));
        }
    }
}
