//! A backbone whose answers take a turn, as those of one over a network do.

use std::sync::{Arc, Mutex};

use sluice_backbone::{
    Backbone, BackboneEvent, Bookmark, Claim, Command, Error, Joined, Members, Memory, Missed,
    Publication, Reader, Receipt, Record, Reply, SessionInfo, Stats, Stored, Workers,
};
use sluice_rooms::{Epoch, Page, Query, Reading, RoomKey, RoomSettings, SessionId};

use crate::inboxes::Inboxes;

/// Workers that always have something left to read, so that what belongs in order comes later.
pub(super) struct Busy(pub(super) Arc<Inboxes>);

impl Workers for Busy {
    fn count(&self) -> usize {
        self.0.count()
    }

    fn is_full(&self, worker: usize) -> bool {
        self.0.is_full(worker)
    }

    fn is_idle(&self, _: usize) -> bool {
        false
    }

    fn deliver(&self, worker: usize, event: BackboneEvent) {
        self.0.deliver(worker, event);
    }
}

/// The second is a session that some other worker has, and gives up once.
pub(super) struct Slow(pub(super) Arc<Memory>, pub(super) Arc<Elsewhere>);

/// What there is of a session elsewhere, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    pub(super) record: Mutex<Option<Record>>,
    pub(super) forgotten: Mutex<Vec<SessionId>>,
}

fn later<T: Send + 'static>(reply: Reply<T>) -> Reply<T> {
    Reply::Later(Box::pin(async move {
        tokio::task::yield_now().await;
        reply.wait().await
    }))
}

impl Backbone for Slow {
    fn subscribe(&self, worker: usize, room: &RoomKey, settings: &RoomSettings) -> Reply<Joined> {
        self.0.subscribe(worker, room, settings)
    }

    fn unsubscribe(&self, worker: usize, room: &RoomKey) {
        self.0.unsubscribe(worker, room);
    }

    fn join(&self, room: &RoomKey, user: &Arc<str>, settings: &RoomSettings) -> Reply<()> {
        later(self.0.join(room, user, settings))
    }

    fn leave(&self, room: &RoomKey, user: &Arc<str>) {
        self.0.leave(room, user);
    }

    fn publish(&self, publication: Publication) -> Reply<Receipt> {
        later(self.0.publish(publication))
    }

    fn missed(&self, worker: usize, bookmarks: &[Bookmark], reader: Reader) -> Reply<Missed> {
        self.0.missed(worker, bookmarks, reader)
    }

    fn history(
        &self,
        room: &RoomKey,
        settings: &RoomSettings,
        query: Query,
    ) -> Reply<(Epoch, Page)> {
        later(self.0.history(room, settings, query))
    }

    fn members(&self, room: &RoomKey, limit: usize) -> Reply<Members> {
        later(self.0.members(room, limit))
    }

    fn command(&self, command: Command) -> Reply<u64> {
        self.0.command(command)
    }

    fn sessions(&self, user: Option<Arc<str>>, limit: usize) -> Reply<Vec<SessionInfo>> {
        self.0.sessions(user, limit)
    }

    fn enter(&self, user: &Arc<str>, limit: u32) -> Result<(), Error> {
        self.0.enter(user, limit)
    }

    fn exit(&self, user: &Arc<str>) {
        self.0.exit(user);
    }

    fn claim(&self, worker: usize, claim: Claim) -> Reply<Option<Record>> {
        match self.1.record.lock().unwrap().take() {
            Some(record) => later(Reply::Now(Ok(Some(record)))),
            None => later(self.0.claim(worker, claim)),
        }
    }

    fn confirm(&self, worker: usize, session: SessionId) -> Reply<()> {
        later(self.0.confirm(worker, session))
    }

    fn outlives_process(&self) -> bool {
        true
    }

    fn store(&self, session: Stored) -> Reply<()> {
        later(self.0.store(session))
    }

    fn forget(&self, session: SessionId) {
        self.1.forgotten.lock().unwrap().push(session);
        self.0.forget(session);
    }

    fn delivered(&self) -> u64 {
        self.0.delivered()
    }

    fn read_up_to(&self, rooms: &mut [(RoomKey, u64)], read: &Reading) {
        self.0.read_up_to(rooms, read);
    }

    fn stats(&self, bounds: &[u64]) -> Stats {
        self.0.stats(bounds)
    }

    fn tick(&self) {
        self.0.tick();
    }
}
