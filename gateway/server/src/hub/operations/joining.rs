//! Coming into rooms and going out of them.

use std::{rc::Rc, sync::Arc};

use sluice_backbone::{Bookmark, Error, Joined, Missed, Reader};
use sluice_policy::Action;
use sluice_rooms::Epoch;

use super::may;
use crate::{
    failure::Failure,
    hub::{Hub, Session, room::Room},
    operation::JoinOptions,
    outcome::{Outcome, Success},
};

impl Hub {
    pub(super) async fn join(
        self: Rc<Self>,
        session: &Rc<Session>,
        room: Box<str>,
        options: JoinOptions,
    ) -> Outcome {
        let room = self.room(&session.namespace, &room)?;
        may(Action::Join, session, &room)?;
        if session.is_in(&room) {
            return self.join_again(session, &room, options).await;
        }
        let joined = self.enlist(session, &room).await?;
        if let Some(after) = options.after {
            return self
                .catch_up_in(session, room, joined, after, options.epoch)
                .await;
        }
        let room = self.seat(session, &room, joined.offset, joined.offset)?;
        self.settle(session).await;
        Ok(joined_answer(&room, &joined, None))
    }

    /// Keeps the new membership before the client learns of it. A client whose session cannot be
    /// kept now is a member all the same; the session is kept once the backbone is back.
    async fn settle(&self, session: &Session) {
        let _ = self.save(session).await;
    }

    /// The rest of a join that goes on reading after a message.
    async fn catch_up_in(
        &self,
        session: &Rc<Session>,
        room: Rc<Room>,
        joined: Joined,
        after: u64,
        epoch: Option<Box<str>>,
    ) -> Outcome {
        let same = is_epoch(joined.epoch, epoch.as_deref());
        let missed = match self.missed_in(session, &room, after).await {
            Ok(missed) if same && self.fits(session, &missed) => missed,
            Ok(_) | Err(Error::Gone) => return self.begin_anew(session, &room).await,
            Err(error) => {
                // It is still there, and the client asks for it again.
                self.counters.not_recovered(error);
                self.turn_back(session, &room);
                return Err(error.into());
            }
        };
        // What it missed is on its way only: where it is lost, it is to be had again.
        let through = missed.through.first().copied().unwrap_or(joined.offset);
        // Another join of the same session may have been quicker, and have sent it.
        let sent = session.is_in(&room);
        let room = self.seat(session, &room, after.min(through), through)?;
        if !sent {
            self.counters.recovered.add(1);
            session.set_caught_up_in(&room, reached(&missed, through));
            session.send_missed(missed);
        }
        let joined = Joined {
            offset: through,
            ..joined
        };
        self.settle(session).await;
        Ok(joined_answer(&room, &joined, Some(true)))
    }

    /// What a session missed in a room after a message.
    pub(super) async fn missed_in(
        &self,
        session: &Session,
        room: &Rc<Room>,
        after: u64,
    ) -> Result<Missed, Error> {
        let settings = room.settings.get();
        if settings.history.is_none() {
            return Err(Error::Gone);
        }
        let bookmark = Bookmark {
            room: room.key.clone(),
            settings,
            after,
            within: None,
        };
        let reader = Reader {
            session: session.id,
            read: session.came(),
            connected: true,
        };
        let _pin = room.pin();
        let worker = self.worker.index();
        let missed = self.shared.backbone.missed(worker, &[bookmark], reader);
        missed.wait().await
    }

    /// Makes a member of a session that has to be told that it missed something.
    async fn begin_anew(&self, session: &Rc<Session>, room: &Rc<Room>) -> Outcome {
        self.counters.not_recovered(Error::Gone);
        // Messages have come and gone while it was read what it missed: its own begin here.
        let joined = self.begins_after(session, room).await.inspect_err(|_| {
            self.turn_back(session, room);
        })?;
        let room = self.seat(session, room, joined.offset, joined.offset)?;
        self.settle(session).await;
        Ok(joined_answer(&room, &joined, Some(false)))
    }

    /// Whether what was missed may wait for the connection all at once, so that it can come before
    /// the answer, and behind all that was delivered before. A client that missed more, or has a
    /// replay, reads the history page by page.
    pub(super) fn fits(&self, session: &Session, missed: &Missed) -> bool {
        let bytes: usize = missed.messages.iter().map(|message| message.size()).sum();
        let behind = session.replay().is_some();
        !behind && session.queued_bytes() + bytes <= self.policy.borrow().limits.outbound_bytes / 2
    }

    /// Makes a session a member, whatever the room's access rules.
    pub(in crate::hub) async fn admit(
        self: &Rc<Self>,
        session: &Rc<Session>,
        room: &Rc<Room>,
    ) -> Result<(), Failure> {
        if !session.is_in(room) {
            let joined = self.enlist(session, room).await?;
            self.seat(session, room, joined.offset, joined.offset)?;
            self.settle(session).await;
        }
        Ok(())
    }

    /// All of a join that may have to wait. [`Self::seat`] must follow at once, so that no
    /// message falls in between.
    async fn enlist(&self, session: &Session, room: &Rc<Room>) -> Result<Joined, Failure> {
        if self.has_all_rooms(session) {
            return Err(Failure::TOO_MANY_ROOMS);
        }
        let (key, settings) = (&room.key, room.settings.get());
        let user = session.user();
        let backbone = &self.shared.backbone;
        backbone.join(key, &user, &settings).wait().await?;
        let joined = self.begins_after(session, room).await.inspect_err(|_| {
            backbone.leave(key, &user);
        })?;
        Ok(joined)
    }

    /// Where a session's messages of a room begin from now on.
    ///
    /// A client that was elsewhere may have read further, in other rooms, than this gateway has
    /// got. It joins there: were it given less, the one position that it keeps would go back, and
    /// it would miss or repeat messages of those rooms.
    async fn begins_after(&self, session: &Session, room: &Rc<Room>) -> Result<Joined, Error> {
        let joined = self.subscribe(room).await?;
        let offset = joined.offset.max(session.read_in(joined.epoch));
        Ok(Joined { offset, ..joined })
    }

    /// Gives a session that was enlisted its place. Messages up to `floor` do not come to it
    /// again; what it misses later, if it ever does, begins after `began`.
    fn seat(
        &self,
        session: &Rc<Session>,
        room: &Rc<Room>,
        began: u64,
        floor: u64,
    ) -> Result<Rc<Room>, Failure> {
        // Much may have happened while the join waited: to the session, to the room, and by
        // another join of the same session.
        let free = self.seat_is_free(session, room);
        match free {
            Ok(Some(room)) => {
                self.enrol(session, &room, began, floor);
                Ok(room)
            }
            other => {
                self.turn_back(session, room);
                other.map(|_| Rc::clone(room))
            }
        }
    }

    /// Undoes [`Self::enlist`].
    fn turn_back(&self, session: &Session, room: &Rc<Room>) {
        self.shared.backbone.leave(&room.key, &session.user());
        let current = session.namespace.known(&room.key.name);
        self.unsubscribe_if_empty(current.as_ref().unwrap_or(room));
    }

    /// The room to sit in; none where the session does already.
    fn seat_is_free(&self, session: &Session, room: &Room) -> Result<Option<Rc<Room>>, Failure> {
        if session.ended.get() || session.is_detached() {
            return Err(Failure::NOT_CONNECTED);
        }
        let room = self.room(&session.namespace, &room.key.name)?;
        if session.is_in(&room) {
            return Ok(None);
        }
        if self.has_all_rooms(session) {
            return Err(Failure::TOO_MANY_ROOMS);
        }
        Ok(Some(room))
    }

    /// Enters a session among a room's members.
    pub(in crate::hub) fn enrol(
        &self,
        session: &Rc<Session>,
        room: &Rc<Room>,
        began: u64,
        floor: u64,
    ) {
        room.add(session, floor);
        if let Some(membership) = session.rooms.borrow_mut().last_mut() {
            membership.from = began;
        }
        self.counters.memberships.add(1);
        self.trace_session("joined", session, Some(&room.key.name));
    }

    fn has_all_rooms(&self, session: &Session) -> bool {
        let most = self.policy.borrow().limits.joins_per_connection as usize;
        session.rooms.borrow().len() >= most
    }

    pub(in crate::hub) async fn subscribe(
        &self,
        room: &Rc<Room>,
    ) -> Result<Joined, sluice_backbone::Error> {
        let _pin = room.pin();
        let (worker, settings) = (self.worker.index(), room.settings.get());
        let joined = self.shared.backbone.subscribe(worker, &room.key, &settings);
        joined.wait().await
    }

    /// Takes a session out of a room, connected or not.
    pub(in crate::hub) fn leave(self: &Rc<Self>, session: &Rc<Session>, room: &str) -> Outcome {
        let mut rooms = session.rooms.borrow_mut();
        let at = rooms.iter().position(|m| *m.room.key.name == *room);
        let membership = at.and_then(|at| rooms.remove(at));
        let membership = membership.ok_or(Failure::NOT_MEMBER)?;
        drop(rooms);
        session.forget_caught_up_in(&membership.room);
        self.trace_session("left", session, Some(room));
        if session.is_detached() {
            self.leave_detached(session, &membership.room);
        } else {
            self.leave_room(session, &membership.room, membership.index.get());
        }
        self.save_soon(session);
        Ok(Success::Done {})
    }

    /// A session without a connection has no place among a room's members.
    fn leave_detached(&self, session: &Session, room: &Room) {
        self.counters.memberships.sub(1);
        if session.present.get() {
            self.shared.backbone.leave(&room.key, &session.user());
        }
    }
}

/// How far the positions reach with which what was missed is sent.
fn reached(missed: &Missed, through: u64) -> u64 {
    let readings = missed
        .messages
        .iter()
        .filter_map(|message| message.reading());
    readings.fold(through, |furthest, reading| {
        furthest.max(reading.position().offset)
    })
}

/// Whether a client means this epoch; one that names none does.
pub(super) fn is_epoch(epoch: Epoch, named: Option<&str>) -> bool {
    named.is_none_or(|named| Epoch::parse(named) == Some(epoch))
}

pub(super) fn joined_answer(room: &Room, joined: &Joined, recovered: Option<bool>) -> Success {
    let epoch = room
        .settings
        .get()
        .history
        .map(|_| joined.epoch.to_string());
    Success::Joined {
        room: Arc::clone(&room.key.name),
        epoch,
        offset: joined.offset,
        recovered,
    }
}
