//! One session: a user in a namespace, with or without a connection.

use std::{
    cell::{Cell, OnceCell, RefCell, RefMut},
    rc::Rc,
    sync::Arc,
};

use sluice_net::{Cause, Connection, Full, Refill, Timer};
use sluice_policy::{Identity, TokenBucket};
use sluice_rooms::{Epoch, Pid, Reading, RoomKey, SessionId};
use sluice_socketio::{Carrier, Client};
use sluice_util::Few;
use tokio::sync::{Mutex, oneshot};

use super::{
    attached::Attached, encoded::Encoded, namespace::Namespace, replay::Replay, room::Room,
};
use crate::{
    backend::{Granted, Who},
    holders::Holder,
    socketio::SocketIoFront,
};

/// How a session is reached.
pub(crate) enum Outlet {
    SocketIo(Rc<Carrier<SocketIoFront>>),
    Native(Rc<Connection>),
    /// Its connection ended; it waits to be recovered. What had been delivered by then.
    Detached(u64),
}

/// A room that a session is in.
pub(crate) struct Membership {
    pub(crate) room: Rc<Room>,
    /// Its place among the room's members; meaningless while detached.
    pub(crate) index: Cell<u32>,
    /// Where its messages began.
    pub(crate) from: u64,
}

/// What few sessions have, or only for a while.
#[derive(Default)]
struct Rare {
    /// Its part in an application, where its namespace belongs to one.
    attached: OnceCell<Box<Attached>>,
    /// What the backend said of it when it was asked.
    granted: OnceCell<Box<Granted>>,
    /// How far its client had read, over all rooms, when it came.
    came: OnceCell<Reading>,
    /// Whose turn it is among its calls that read a history.
    histories: Rc<Mutex<()>>,
    /// Messages to send before any newer one, once the client knows that it is connected.
    replay: RefCell<Option<Box<Replay>>>,
    /// Rooms in which it went on after a message, and up to where it was caught up with there.
    caught_up: RefCell<Vec<(Rc<Room>, u64)>>,
}

/// A session and everything that belongs to it.
pub(crate) struct Session {
    pub(crate) pid: Pid,
    pub(crate) id: SessionId,
    pub(crate) namespace: Rc<Namespace>,
    pub(crate) identity: RefCell<Identity>,
    pub(crate) outlet: RefCell<Outlet>,
    pub(crate) rooms: RefCell<Few<Membership>>,
    /// Who answers for it.
    pub(crate) holder: Holder,
    pub(crate) bucket: Cell<TokenBucket>,
    pub(crate) in_flight: Cell<u16>,
    pub(crate) strikes: Cell<u16>,
    /// Whether presence shows it in its rooms.
    pub(crate) present: Cell<bool>,
    /// Whether it has ended for good.
    pub(crate) ended: Cell<bool>,
    /// What is due of it: see [`super::timers`].
    pub(super) timer: Cell<Option<Timer>>,
    /// Whether it has changed since it was last saved.
    pub(super) unsaved: Cell<bool>,
    rare: OnceCell<Box<Rare>>,
}

impl Session {
    pub(crate) fn new(
        pid: Pid,
        namespace: Rc<Namespace>,
        identity: Identity,
        holder: Holder,
    ) -> Rc<Self> {
        Rc::new(Self {
            pid,
            id: pid.session(),
            namespace,
            identity: RefCell::new(identity),
            outlet: RefCell::new(Outlet::Detached(0)),
            rooms: RefCell::default(),
            holder,
            bucket: Cell::default(),
            in_flight: Cell::new(0),
            strikes: Cell::new(0),
            present: Cell::new(true),
            ended: Cell::new(false),
            timer: Cell::new(None),
            unsaved: Cell::new(false),
            rare: OnceCell::new(),
        })
    }

    /// Its part in an application, where its namespace belongs to one.
    pub(crate) fn attached(&self) -> Option<&Attached> {
        self.rare.get()?.attached.get().map(|attached| &**attached)
    }

    /// Makes it one of an application. It stays one.
    pub(super) fn set_attached(&self, attached: Box<Attached>) {
        let _ = self.rare().attached.set(attached);
    }

    pub(crate) fn user(&self) -> Arc<str> {
        Arc::clone(self.identity.borrow().user())
    }

    /// Who it is, to the backend.
    pub(crate) fn who(&self) -> Who {
        let namespace = Arc::clone(&self.namespace.name);
        Who {
            namespace,
            user: self.user(),
            session: self.id,
            data: self.granted().and_then(|granted| granted.data.clone()),
        }
    }

    /// Notes how far its client had read when it came. It never changes.
    pub(crate) fn set_came(&self, read: Option<&Reading>) {
        if let Some(read) = read {
            let _ = self.rare().came.set(read.clone());
        }
    }

    /// How far its client had read when it came.
    pub(crate) fn came(&self) -> Option<Reading> {
        self.rare.get()?.came.get().cloned()
    }

    /// What the backend said of it when it was asked. It never changes.
    pub(super) fn granted(&self) -> Option<&Granted> {
        self.rare.get()?.granted.get().map(|granted| &**granted)
    }

    pub(super) fn set_granted(&self, granted: Box<Granted>) {
        let _ = self.rare().granted.set(granted);
    }

    /// Whose turn it is among its calls that read a history.
    pub(super) fn histories(&self) -> Rc<Mutex<()>> {
        Rc::clone(&self.rare().histories)
    }

    /// Messages to send before any newer one, once the client knows that it is connected.
    pub(super) fn replay(&self) -> Option<RefMut<'_, Replay>> {
        let replay = self.rare.get()?.replay.borrow_mut();
        RefMut::filter_map(replay, Option::as_deref_mut).ok()
    }

    pub(super) fn set_replay(&self, replay: Option<Box<Replay>>) {
        if replay.is_some() || self.rare.get().is_some() {
            *self.rare().replay.borrow_mut() = replay;
        }
    }

    /// Up to where it was caught up with in a room, if it went on there after a message; else 0.
    pub(super) fn caught_up_in(&self, room: &Rc<Room>) -> u64 {
        let Some(rare) = self.rare.get() else {
            return 0;
        };
        let caught_up = rare.caught_up.borrow();
        let known = caught_up.iter().find(|(known, _)| Rc::ptr_eq(known, room));
        known.map_or(0, |(_, through)| *through)
    }

    pub(super) fn set_caught_up_in(&self, room: &Rc<Room>, through: u64) {
        self.forget_caught_up_in(room);
        let mut caught_up = self.rare().caught_up.borrow_mut();
        caught_up.push((Rc::clone(room), through));
    }

    pub(super) fn forget_caught_up_in(&self, room: &Rc<Room>) {
        if let Some(rare) = self.rare.get() {
            let mut caught_up = rare.caught_up.borrow_mut();
            caught_up.retain(|(known, _)| !Rc::ptr_eq(known, room));
        }
    }

    fn rare(&self) -> &Rare {
        self.rare.get_or_init(Box::default)
    }

    /// What had been delivered when its connection ended; none while it has one.
    pub(super) fn delivered(&self) -> Option<u64> {
        match *self.outlet.borrow() {
            Outlet::Detached(delivered) => Some(delivered),
            _ => None,
        }
    }

    /// How far its client had read in histories of this epoch when it came; else 0.
    pub(crate) fn read_in(&self, epoch: Epoch) -> u64 {
        let came = self.rare.get().and_then(|rare| rare.came.get());
        let read = came.map(Reading::position);
        let read = read.filter(|read| read.epoch == epoch);
        read.map_or(0, |read| read.offset)
    }

    pub(crate) fn is_detached(&self) -> bool {
        matches!(*self.outlet.borrow(), Outlet::Detached(_))
    }

    pub(crate) fn protocol(&self) -> &'static str {
        match &*self.outlet.borrow() {
            Outlet::SocketIo(_) => "socketio",
            Outlet::Native(_) => "websocket",
            Outlet::Detached(_) => "none",
        }
    }

    /// Sends a message in the session's protocol. The error says that it did not fit.
    pub(crate) fn send(&self, encoded: &Encoded) -> Result<(), Full> {
        match &*self.outlet.borrow() {
            Outlet::SocketIo(carrier) => encoded.socketio().try_send(carrier),
            Outlet::Native(connection) => connection.send(encoded.native()),
            Outlet::Detached(_) => Ok(()),
        }
    }

    /// Has more asked for once all that waits for the client is written: see
    /// [`Connection::refill_with`].
    pub(super) fn refill_with(&self, refill: Refill) {
        match &*self.outlet.borrow() {
            Outlet::SocketIo(carrier) => carrier.refill_with(refill),
            Outlet::Native(connection) => connection.refill_with(refill),
            Outlet::Detached(_) => {}
        }
    }

    /// Sends a message, or closes a connection that has too much waiting.
    pub(crate) fn send_or_close(&self, encoded: &Encoded) {
        if self.send(encoded).is_err() {
            self.close(Cause::SlowConsumer);
        }
    }

    /// Ends the session's connection. Where it is not to come back, a Socket.IO client is told so
    /// in its own way: the stock client stays away after a DISCONNECT packet.
    pub(crate) fn close(&self, cause: Cause) {
        match &*self.outlet.borrow() {
            Outlet::SocketIo(carrier) if cause.recoverable() => carrier.close(cause),
            Outlet::SocketIo(carrier) => {
                Client::disconnect(carrier, &self.namespace.name, cause);
            }
            Outlet::Native(connection) => connection.close(cause),
            Outlet::Detached(_) => {}
        }
    }

    /// Reads no more of its client, or goes on with that.
    pub(super) fn pause(&self, paused: bool) {
        match &*self.outlet.borrow() {
            Outlet::SocketIo(carrier) => carrier.pause(paused),
            Outlet::Native(connection) => connection.pause(paused),
            Outlet::Detached(_) => {}
        }
    }

    /// Waits until all that waits for the client is written. False where its connection ended before.
    pub(super) async fn drained(&self) -> bool {
        let (tell, told) = oneshot::channel();
        let mut tell = Some(tell);
        self.refill_with(Box::new(move |_| {
            // Who waited for it may be gone.
            let _ = tell.take().map(|tell| tell.send(()));
            false
        }));
        told.await.is_ok()
    }

    /// Bytes that wait for the client.
    pub(crate) fn queued_bytes(&self) -> usize {
        match &*self.outlet.borrow() {
            Outlet::SocketIo(carrier) => carrier.queued_bytes(),
            Outlet::Native(connection) => connection.queued_bytes(),
            Outlet::Detached(_) => 0,
        }
    }

    /// Whether it is in a room.
    pub(crate) fn is_in(&self, room: &Rc<Room>) -> bool {
        self.joined_at(room).is_some()
    }

    /// Where its messages in a room began; none if it is no member.
    pub(super) fn joined_at(&self, room: &Rc<Room>) -> Option<u64> {
        let rooms = self.rooms.borrow();
        let membership = rooms.iter().find(|m| Rc::ptr_eq(&m.room, room));
        membership.map(|membership| membership.from)
    }

    /// Its rooms and where its messages there began.
    pub(crate) fn record_rooms(&self) -> Vec<(RoomKey, u64)> {
        self.rooms
            .borrow()
            .iter()
            .map(|m| (m.room.key.clone(), m.from))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an idle connection takes, so that whoever adds to it sees what that costs. The bounds
    /// are the sizes that the allocator has, less the two counts of an `Rc`.
    #[test]
    fn an_idle_connection_stays_small() {
        const COUNTS: usize = 16;
        assert!(
            size_of::<Session>() + COUNTS <= 224,
            "{}",
            size_of::<Session>()
        );
        let carrier = size_of::<Carrier<SocketIoFront>>();
        assert!(carrier + COUNTS <= 224, "{carrier}");
        let connection = size_of::<Connection>();
        assert!(connection + COUNTS <= 160, "{connection}");
        assert_eq!(size_of::<Few<Membership>>(), 24);
        assert_eq!(size_of::<Few<Rc<Session>>>(), 16);
    }
}
