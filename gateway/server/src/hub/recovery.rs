//! A session that goes on over a new connection.

use std::{rc::Rc, sync::Arc, time::Duration};

use sluice_backbone::{Bookmark, Claim, Error, Gather, Joined, Missed, Reader, Record};
use sluice_net::Cause;
use sluice_policy::{Action, Identity};
use sluice_rooms::{Position, Reading, RoomSettings};

use super::{ClientPosition, Hub, Knock, Session, operations::may, replay::Replay, room::Room};

/// How long before its connection is known to be lost a session may have missed something: the
/// longest heartbeat, and some time to spare.
const UNNOTICED: Duration = Duration::from_mins(2);

/// How often a room is subscribed to. Each time waits for the backbone by itself.
const SUBSCRIPTIONS: u32 = 3;

/// A session that a client may have again.
pub(super) enum Reserved {
    /// It is on this worker, with or without a connection.
    Here,
    /// It was given up elsewhere: this is what is left of it.
    Taken(Record),
}

impl Hub {
    /// Finds the session that a client says it had. From then on it is with this worker, and
    /// stays there whatever becomes of the client.
    pub(super) async fn reserve(
        &self,
        knock: &Knock,
        identity: &Identity,
    ) -> Option<(Claim, Reserved)> {
        let pid = knock.pid?;
        if knock.read == ClientPosition::Unreadable {
            self.counters.not_recovered(Error::Gone);
            return None;
        }
        let claim = Claim {
            pid,
            user: Arc::clone(identity.user()),
            namespace: (*knock.namespace).into(),
            read: knock.read.reading().cloned(),
        };
        let found = match self.refuse_revoked(identity, Some(pid.session())) {
            Ok(()) => self.find(&claim).await,
            Err(_) => Ok(None),
        };
        match found {
            Ok(Some(reserved)) => return Some((claim, reserved)),
            // Who could tell how far its client has read is gone.
            Ok(None) if knock.read.is_vague() => {
                self.counters.not_recovered(Error::Gone);
            }
            Ok(None) => self.counters.recovery_unknown.add(1),
            Err(error) => self.counters.not_recovered(error),
        }
        None
    }

    async fn find(&self, claim: &Claim) -> Result<Option<Reserved>, Error> {
        let (id, worker) = (claim.pid.session(), self.worker.index());
        if self.session(id).is_some() {
            let confirmed = self.shared.backbone.confirm(worker, id);
            confirmed.wait().await?;
        }
        self.resuming.over(id).await;
        if self.own(claim).is_some() {
            return Ok(Some(Reserved::Here));
        }
        let taken = self.shared.backbone.claim(worker, claim.clone()).wait();
        Ok(taken.await?.map(Reserved::Taken))
    }

    /// What is left of a session that was reserved, which ends here with this. None where somebody
    /// else has it by now.
    pub(super) async fn take(&self, claim: &Claim, reserved: Reserved) -> Option<Record> {
        if let Reserved::Taken(record) = reserved {
            return Some(record);
        }
        self.resuming.over(claim.pid.session()).await;
        let record = self.give_up(claim);
        if record.is_none() {
            self.counters.recovery_unknown.add(1);
        }
        record
    }

    /// Another worker, or gateway, claims a session.
    pub(super) fn claimed(self: &Rc<Self>, claim: Claim, gather: Gather<Record>) {
        let id = claim.pid.session();
        let give = move |hub: &Self| {
            if let Some(record) = hub.give_up(&claim) {
                gather.add(record);
            }
        };
        if !self.resuming.has(id) {
            return give(self);
        }
        let hub = Rc::clone(self);
        tokio::task::spawn_local(async move {
            hub.resuming.over(id).await;
            give(&hub);
        });
    }

    /// Ends a session here, if it is the one that is claimed, so that it can go on elsewhere.
    pub(super) fn give_up(&self, claim: &Claim) -> Option<Record> {
        let (session, record) = self.own(claim)?;
        // The old connection is most likely dead; if not, its client must not fight the new one.
        self.detach_outlet(&session, Cause::Replaced);
        self.forget(&session);
        Some(record)
    }

    /// The session here that is claimed, and what is left of it if it ends now.
    fn own(&self, claim: &Claim) -> Option<(Rc<Session>, Record)> {
        let session = self.session(claim.pid.session())?;
        let own = session.pid == claim.pid
            && session.user() == claim.user
            && session.namespace.name == claim.namespace;
        if !own {
            return None;
        }
        if self.was_elsewhere(&session, claim.read.as_ref()) {
            self.moved(session.id);
            self.shared.backbone.forget(session.id);
            return None;
        }
        let record = Record {
            rooms: self.read_up_to(&session, claim.read.as_ref())?,
            present: session.present.get(),
        };
        Some((session, record))
    }

    /// Whether a session's client has read further than it was ever told here. Then the session
    /// has gone on elsewhere, and what is here is only what it left behind.
    fn was_elsewhere(&self, session: &Session, read: Option<&Reading>) -> bool {
        let Some(read) = read.map(Reading::position) else {
            return false;
        };
        let backbone = &self.shared.backbone;
        let delivered = session.delivered().unwrap_or_else(|| backbone.delivered());
        read.offset > delivered.max(session.read_in(read.epoch))
    }

    /// Puts a session back into its rooms with all that it missed, or says that it cannot be.
    pub(super) async fn resume(
        self: &Rc<Self>,
        session: &Rc<Session>,
        record: Record,
        read: Option<Reading>,
    ) -> bool {
        let pending = self.resuming.begin(session.id);
        session.present.set(record.present);
        let rooms = self.rooms_of(session, &record);
        self.return_to_presence(session, &rooms).await;
        let pins: Vec<_> = rooms.iter().map(|(room, _)| room.pin()).collect();
        let within = self.policy.borrow().recovery_window + UNNOTICED;
        let bookmarks = bookmarks(&rooms, within);
        let position = read.as_ref().map(Reading::position);
        let reader = Reader {
            session: session.id,
            read,
            connected: false,
        };
        let missed = match self.subscribe_all(&rooms, position).await {
            Ok(()) => {
                let worker = self.worker.index();
                let missed = self.shared.backbone.missed(worker, &bookmarks, reader);
                missed.wait().await
            }
            Err(error) => Err(error),
        };
        // From here on nothing waits, so that no message falls in between.
        let missed = missed.map_err(|error| self.counters.not_recovered(error));
        let Some(missed) = missed.ok().filter(|_| !pending.has_moved()) else {
            drop(pins);
            self.abandon(session, &rooms);
            return false;
        };
        self.catch_up(session, &bookmarks, missed);
        self.counters.recovered.add(1);
        if rooms.len() != record.rooms.len() {
            self.save_soon(session);
        }
        true
    }

    /// The rooms that the session may still be in.
    pub(super) fn rooms_of(&self, session: &Session, record: &Record) -> Vec<(Rc<Room>, u64)> {
        let mut rooms = Vec::with_capacity(record.rooms.len());
        for (key, after) in &record.rooms {
            match self.room(&session.namespace, &key.name) {
                Ok(room) if may(Action::Join, session, &room).is_ok() => rooms.push((room, *after)),
                _ if record.present => self.shared.backbone.leave(key, &session.user()),
                _ => {}
            }
        }
        rooms
    }

    /// Subscribes before what was missed is read, so that nothing falls in between.
    async fn subscribe_all(
        &self,
        rooms: &[(Rc<Room>, u64)],
        position: Option<Position>,
    ) -> Result<(), Error> {
        for (room, _) in rooms {
            let joined = self.subscribe_patiently(room).await?;
            let other = position.is_some_and(|position| position.epoch != joined.epoch);
            if other && room.settings.get().history.is_some() {
                return Err(Error::Gone);
            }
        }
        Ok(())
    }

    /// Subscribes again where the backbone gave up: it may only be about to elect a leader.
    async fn subscribe_patiently(&self, room: &Rc<Room>) -> Result<Joined, Error> {
        for _ in 1..SUBSCRIPTIONS {
            match self.subscribe(room).await {
                Err(Error::Unavailable) => {}
                other => return other,
            }
        }
        self.subscribe(room).await
    }

    /// Shows the session in its rooms again, where presence had given it up.
    async fn return_to_presence(&self, session: &Session, rooms: &[(Rc<Room>, u64)]) {
        if session.present.replace(true) {
            return;
        }
        for (room, _) in rooms {
            // It was a member before; a bound that is full now does not turn it away.
            let unbounded = RoomSettings {
                members: None,
                ..room.settings.get()
            };
            let join = self
                .shared
                .backbone
                .join(&room.key, &session.user(), &unbounded);
            let _ = join.wait().await;
        }
    }

    fn catch_up(&self, session: &Rc<Session>, bookmarks: &[Bookmark], missed: Missed) {
        for (bookmark, through) in bookmarks.iter().zip(missed.through) {
            match self.room(&session.namespace, &bookmark.room.name) {
                // What it missed is on its way only: where it is lost, it is to be had again.
                Ok(room) => {
                    let began = bookmark.after.min(through);
                    self.enrol(session, &room, began, through);
                }
                Err(_) => self.shared.backbone.leave(&bookmark.room, &session.user()),
            }
        }
        session.set_replay(Replay::of(missed.messages, &self.counters));
    }

    fn abandon(&self, session: &Session, rooms: &[(Rc<Room>, u64)]) {
        for (room, _) in rooms {
            if session.present.get() {
                self.shared.backbone.leave(&room.key, &session.user());
            }
            self.unsubscribe_if_empty(room);
        }
    }
}

fn bookmarks(rooms: &[(Rc<Room>, u64)], within: Duration) -> Vec<Bookmark> {
    let bookmark = |(room, after): &(Rc<Room>, u64)| Bookmark {
        room: room.key.clone(),
        settings: room.settings.get(),
        after: *after,
        within: Some(within),
    };
    rooms.iter().map(bookmark).collect()
}
