//! What workers ask about rooms and sessions.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use sluice_backbone::{
    Bookmark, Claim, Error, Joined, Missed, Publication, Reader, Receipt, Record, Reply, Stored,
};
use sluice_contract::WireVersion;
use sluice_rooms::{
    Epoch, HistoryLimits, Page, Publisher, Query, Reading, RoomKey, RoomSettings, SessionId,
};
use tokio::sync::oneshot;

use super::{
    Action, At, Called, Core, HistoryCounters, StreamLosses, Unreachable, Unsettled, calls::Calls,
    histories::IdOwner,
};

impl Core {
    /// As [`Backbone::subscribe`](sluice_backbone::Backbone::subscribe). A room without history
    /// is joined at once.
    pub fn subscribe(
        &mut self,
        at: At,
        (worker, room): (usize, &RoomKey),
        settings: &RoomSettings,
        out: &mut Vec<Action>,
    ) -> Reply<Joined> {
        let mut io = self.world.io(at, out);
        self.presence.apply(&mut io, room, settings);
        // Who published before the Room was changed may still use the other way.
        if let Some(limits) = &settings.history {
            self.live.unsubscribe(&io, worker, room);
            return self.histories.subscribe(&mut io, worker, (room, limits));
        }
        self.histories.unsubscribe(&io, worker, room);
        self.live.subscribe(&mut io, worker, room);
        Reply::Now(Ok(Joined {
            epoch: self.histories.epoch().unwrap_or(Epoch::from_bits(0)),
            offset: self.histories.watermark(),
        }))
    }

    /// Whether messages of rooms with history can be stored: their stream took one a moment ago.
    pub fn stores(&self, at: At) -> bool {
        self.histories.stores(at.now)
    }

    /// The streams are as they are wanted, which they may not have been: what they keep now is looked
    /// at.
    pub fn streams_kept(&mut self, at: At) {
        self.histories.limits_changed(at.now);
    }

    /// As [`Backbone::unsubscribe`](sluice_backbone::Backbone::unsubscribe).
    pub fn unsubscribe(&mut self, at: At, worker: usize, room: &RoomKey, out: &mut Vec<Action>) {
        let io = self.world.io(at, out);
        self.histories.unsubscribe(&io, worker, room);
        self.live.unsubscribe(&io, worker, room);
    }

    /// As [`Backbone::publish`](sluice_backbone::Backbone::publish).
    pub fn publish(
        &mut self,
        at: At,
        publication: Publication,
        out: &mut Vec<Action>,
    ) -> Reply<Receipt> {
        let owner = self.id_owner(&publication);
        let mut io = self.world.io(at, out);
        match publication.settings.history {
            Some(limits) => self.histories.publish(&mut io, publication, owner, &limits),
            None => Reply::Now(self.live.publish(&mut io, publication)),
        }
    }

    /// Whose the id of a message is. An id that the gateway makes is known to nobody before.
    pub(super) fn id_owner(&self, publication: &Publication) -> IdOwner {
        let is_a_clients = publication.publisher != Publisher::Application;
        let asks = publication.id.is_some() && is_a_clients;
        if asks && self.fleet.writes() >= WireVersion::ID_OF_PUBLISHER {
            IdOwner::Publisher
        } else {
            IdOwner::Room
        }
    }

    /// As [`Backbone::missed`](sluice_backbone::Backbone::missed).
    pub fn missed(
        &mut self,
        at: At,
        worker: usize,
        bookmarks: &[Bookmark],
        reader: Reader,
        out: &mut Vec<Action>,
    ) -> Reply<Missed> {
        self.histories
            .missed(&mut self.world.io(at, out), worker, bookmarks, reader)
    }

    /// As [`Backbone::history`](sluice_backbone::Backbone::history).
    pub fn history(
        &mut self,
        at: At,
        (room, limits): (&RoomKey, HistoryLimits),
        query: Query,
        out: &mut Vec<Action>,
    ) -> Reply<(Epoch, Page)> {
        self.histories
            .history(&mut self.world.io(at, out), room, limits, query)
    }

    /// As [`Backbone::read_up_to`](sluice_backbone::Backbone::read_up_to).
    pub fn read_up_to(&self, rooms: &mut [(RoomKey, u64)], read: &Reading) {
        self.histories.read_up_to(rooms, read);
    }

    /// As [`Backbone::delivered`](sluice_backbone::Backbone::delivered).
    pub fn delivered(&self) -> u64 {
        self.histories.watermark()
    }

    /// As [`Backbone::store`](sluice_backbone::Backbone::store).
    pub fn store(&mut self, at: At, session: &Stored, out: &mut Vec<Action>) -> Reply<()> {
        self.sessions.store(&mut self.world.io(at, out), session)
    }

    /// As [`Backbone::forget`](sluice_backbone::Backbone::forget).
    pub fn forget(&mut self, at: At, session: SessionId, out: &mut Vec<Action>) {
        self.sessions.forget(&mut self.world.io(at, out), session);
    }

    /// As [`Backbone::claim`](sluice_backbone::Backbone::claim).
    pub fn claim(
        &mut self,
        at: At,
        worker: usize,
        claim: Claim,
        out: &mut Vec<Action>,
    ) -> Reply<Option<Record>> {
        let mut io = self.world.io(at, out);
        self.sessions.claim(&mut io, worker, claim)
    }

    /// As [`Backbone::confirm`](sluice_backbone::Backbone::confirm).
    pub fn confirm(
        &mut self,
        at: At,
        worker: usize,
        session: SessionId,
        out: &mut Vec<Action>,
    ) -> Reply<()> {
        let mut io = self.world.io(at, out);
        self.sessions.confirm(&mut io, worker, session)
    }

    /// How long sessions can be recovered.
    pub fn set_recovery_window(&mut self, window: Duration) {
        self.sessions.set_window(window);
    }

    /// Has `called` answer what other gateways ask of the layers above.
    pub fn set_called(&mut self, called: Arc<dyn Called>) {
        self.calls.set_called(called);
    }

    /// Asks another gateway.
    pub fn call(
        &mut self,
        at: At,
        to: (u32, &str),
        request: &[u8],
        within: Duration,
        out: &mut Vec<Action>,
    ) -> oneshot::Receiver<Result<Bytes, Unreachable>> {
        self.calls
            .call(&mut self.world.io(at, out), to, request, within)
    }

    /// Tells another gateway something.
    pub fn tell(&mut self, at: At, to: (u32, &str), message: &[u8], out: &mut Vec<Action>) {
        Calls::tell(&mut self.world.io(at, out), to, message);
    }

    /// What happened to messages of rooms with history.
    pub fn history_counters(&self) -> HistoryCounters {
        self.histories.counters()
    }

    /// What became of the streams of rooms and of sessions while this gateway ran.
    pub fn stream_losses(&self) -> (StreamLosses, StreamLosses) {
        (self.histories.losses(), self.sessions.losses())
    }

    /// Rooms that are followed, messages that are held of them and roughly their bytes.
    pub(crate) fn holdings(&self) -> (u64, u64, u64) {
        let rooms = self.histories.len() + self.live.len();
        let (messages, bytes) = self.histories.recent();
        (rooms as u64, messages, bytes)
    }

    /// Messages that wait to be stored, and sessions of this gateway that are.
    pub fn stored(&self) -> (u64, u64) {
        (self.histories.unstored() as u64, self.sessions.len() as u64)
    }

    /// What waits for something; nothing does for ever.
    pub fn unsettled(&self) -> Unsettled {
        Unsettled {
            questions: self.world.requests.len(),
            storing: self.sessions.storing(),
            claims: self.sessions.claiming(),
            ..self.histories.unsettled()
        }
    }

    /// The history's identity, once the stream was seen; an error until then.
    pub fn epoch(&self) -> Result<Epoch, Error> {
        self.histories.epoch().ok_or(Error::Unavailable)
    }
}
