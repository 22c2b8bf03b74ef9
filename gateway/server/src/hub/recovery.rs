//! A session that goes on over a new connection.

use std::{rc::Rc, sync::Arc};

use sluice_backbone::{Bookmark, Claim, Error, Missed, Record};
use sluice_net::Cause;
use sluice_policy::Action;
use sluice_rooms::Position;

use super::{Encoded, Hub, Knock, Outlet, Session, operations::may, room::Room};

/// What became of a client's wish to recover.
pub(super) enum Recovery {
    /// It had none.
    NotAsked,
    /// The session is nowhere.
    Unknown,
    /// Here is what is left of the session.
    Found(Record),
}

impl Hub {
    /// Finds the session that a client says it had, and takes it over.
    pub(super) async fn recover(&self, knock: &Knock, user: &Arc<str>) -> Recovery {
        let Some(pid) = knock.pid else {
            return Recovery::NotAsked;
        };
        if self.refuse_revoked_session(pid.session()) {
            return Recovery::Unknown;
        }
        let claim = Claim {
            pid,
            user: Arc::clone(user),
            namespace: (*knock.namespace).into(),
        };
        if let Some(record) = self.give_up(&claim) {
            return Recovery::Found(record);
        }
        let claimed = self
            .shared
            .backbone
            .claim(self.worker.index(), claim)
            .wait()
            .await;
        if let Ok(Some(record)) = claimed {
            return Recovery::Found(record);
        }
        self.counters.recovery_unknown.add(1);
        Recovery::Unknown
    }

    /// Ends a session here, if it is the one that is claimed, so that it can go on elsewhere.
    pub(super) fn give_up(&self, claim: &Claim) -> Option<Record> {
        let session = self.session(claim.pid.session())?;
        let own = session.pid == claim.pid
            && session.user() == claim.user
            && session.namespace.name == claim.namespace;
        if !own {
            return None;
        }
        let record = Record {
            rooms: session.record_rooms(),
            present: session.present.get(),
        };
        // The old connection is most likely dead; if not, its client must not fight the new one.
        self.detach_outlet(&session, Cause::Replaced);
        self.forget(&session);
        Some(record)
    }

    /// Puts a session back into its rooms with all that it missed, or says that it cannot be.
    pub(super) async fn resume(
        self: &Rc<Self>,
        session: &Rc<Session>,
        record: Record,
        position: Option<Position>,
    ) -> bool {
        session.present.set(record.present);
        let rooms = self.rooms_of(session, &record);
        let bookmarks = bookmarks(&rooms, position);
        let missed = match self.subscribe_all(&rooms, position).await {
            Ok(()) => {
                self.shared
                    .backbone
                    .missed(&bookmarks, session.id)
                    .wait()
                    .await
            }
            Err(error) => Err(error),
        };
        let Ok(missed) = missed else {
            self.counters.recovery_gone.add(1);
            self.abandon(session, &rooms);
            return false;
        };
        self.catch_up(session, &rooms, &missed).await;
        self.counters.recovered.add(1);
        true
    }

    /// The rooms that the session may still be in.
    fn rooms_of(&self, session: &Session, record: &Record) -> Vec<(Rc<Room>, u64)> {
        let mut rooms = Vec::with_capacity(record.rooms.len());
        for (key, from) in &record.rooms {
            match self.room(&session.namespace, &key.name) {
                Ok(room) if may(Action::Join, session, &room).is_ok() => rooms.push((room, *from)),
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
            let joined = self.subscribe(room).await?;
            let other = position.is_some_and(|position| position.epoch != joined.epoch);
            if other && room.settings.get().history.is_some() {
                return Err(Error::Gone);
            }
        }
        Ok(())
    }

    async fn catch_up(&self, session: &Rc<Session>, rooms: &[(Rc<Room>, u64)], missed: &Missed) {
        for (room, _) in rooms {
            room.add(session, missed.through);
            self.counters.memberships.add(1);
        }
        if !session.present.replace(true) {
            for (room, _) in rooms {
                let settings = room.settings.get();
                // It was a member before; a bound that is full now does not turn it away.
                let unbounded = sluice_rooms::RoomSettings {
                    members: None,
                    ..settings
                };
                let join = self
                    .shared
                    .backbone
                    .join(&room.key, &session.user(), &unbounded);
                let _ = join.wait().await;
            }
        }
        *session.backlog.borrow_mut() = Some(missed.messages.as_slice().into());
    }

    fn abandon(&self, session: &Session, rooms: &[(Rc<Room>, u64)]) {
        for (room, _) in rooms {
            if session.present.get() {
                self.shared.backbone.leave(&room.key, &session.user());
            }
            self.unsubscribe_if_empty(room);
        }
    }

    /// Gives a session its connection.
    pub(crate) fn attach(&self, session: &Rc<Session>, outlet: Outlet) {
        self.counters.opened.add(1);
        *session.outlet.borrow_mut() = outlet;
    }

    /// Sends what a recovered session missed, once its client knows that it is connected.
    pub(crate) fn send_backlog(&self, session: &Session) {
        let backlog = session.backlog.borrow_mut().take().unwrap_or_default();
        self.counters.deliveries.add(backlog.len() as u64);
        for message in backlog {
            session.send_or_close(&Encoded::message(&session.namespace.name, message));
        }
    }
}

fn bookmarks(rooms: &[(Rc<Room>, u64)], position: Option<Position>) -> Vec<Bookmark> {
    let read = position.map_or(0, |position| position.offset);
    let bookmark = |(room, from): &(Rc<Room>, u64)| Bookmark {
        room: room.key.clone(),
        settings: room.settings.get(),
        after: read.max(*from),
    };
    rooms.iter().map(bookmark).collect()
}
