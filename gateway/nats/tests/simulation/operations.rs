//! What workers do for clients, as the gateway proper does it.

use std::{
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use sluice_backbone::{Bookmark, Error, Joined, Missed, Publication, Reader, Record};
use sluice_rooms::{Pid, Reading};

use crate::{
    hub::{Hub, Membership, Saves, Session, Shared},
    wire::Frame,
};

/// How long before its connection is known to be lost a session may have missed something.
const WITHIN: std::time::Duration = std::time::Duration::from_mins(4);

/// A client that wants in.
pub struct Knock {
    pub conn: u64,
    pub user: Arc<str>,
    pub fresh: Pid,
    pub pid: Option<Pid>,
    pub read: Option<Reading>,
}

/// Lets others work first.
struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

pub async fn enter(hub: Shared, worker: usize, knock: Knock) {
    let mut record = None;
    if let Some(pid) = knock.pid {
        record = claim(&hub, worker, pid, &knock).await;
    }
    let mut session = Session {
        pid: knock.fresh,
        user: Arc::clone(&knock.user),
        conn: Some(knock.conn),
        rooms: std::collections::BTreeMap::new(),
        came: knock.read.clone(),
        delivered: 0,
        saves: Saves {
            due: false,
            under_way: false,
            kept: true,
        },
        present: true,
        detached: None,
    };
    let mut backlog = None;
    if let (Some(pid), Some(record)) = (knock.pid, record) {
        backlog = resume(&hub, worker, &mut session, (pid, record), knock.read).await;
    }
    attach(&hub, worker, session, backlog.as_ref());
}

async fn claim(hub: &Shared, worker: usize, pid: Pid, knock: &Knock) -> Option<Record> {
    let claim = Hub::claim_of(pid, &knock.user, knock.read.clone());
    if !confirm(hub, worker, pid).await {
        return None;
    }
    let record = hub.borrow_mut().give_up(worker, &claim);
    if record.is_some() {
        return record;
    }
    let reply = {
        let hub = &mut *hub.borrow_mut();
        hub.core.claim(hub.now, worker, claim, &mut hub.out)
    };
    reply.wait().await.ok().flatten()
}

/// False where it cannot be told whether a session of this worker has gone on elsewhere.
async fn confirm(hub: &Shared, worker: usize, pid: Pid) -> bool {
    let session = pid.session();
    let reply = {
        let hub = &mut *hub.borrow_mut();
        let sessions = &hub.workers[worker].sessions;
        if !sessions.contains_key(&session.to_string()) {
            return true;
        }
        hub.core.confirm(hub.now, worker, session, &mut hub.out)
    };
    reply.wait().await.is_ok()
}

async fn join_presence(hub: &Shared, room: usize, user: &Arc<str>) -> Result<(), Error> {
    let reply = {
        let hub = &mut *hub.borrow_mut();
        let (key, settings) = (hub.places.key(room).clone(), hub.places.settings(room));
        hub.core.join(hub.now, &key, user, &settings, &mut hub.out)
    };
    reply.wait().await
}

/// Subscribes before what was missed is read; returns what is to be sent first.
async fn resume(
    hub: &Shared,
    worker: usize,
    session: &mut Session,
    (pid, record): (Pid, Record),
    read: Option<Reading>,
) -> Option<Missed> {
    let rooms: Vec<_> = {
        let places = &hub.borrow().places;
        let index = |(key, from): &(_, u64)| Some((places.index(key)?, *from));
        record.rooms.iter().filter_map(index).collect()
    };
    for (room, _) in rooms.iter().filter(|_| !record.present) {
        let _ = join_presence(hub, *room, &session.user).await;
    }
    for (room, _) in &rooms {
        hub.borrow_mut().pin(worker, *room);
    }
    let missed = read_missed(hub, worker, pid, &rooms, read).await;
    for (room, _) in &rooms {
        hub.borrow_mut().unpin(worker, *room);
    }
    let Ok(missed) = missed else {
        hub.borrow_mut()
            .notes
            .push(format!("{}: {:?}", pid.session(), missed.err()));
        for (room, _) in &rooms {
            let key = hub.borrow().places.key(*room).clone();
            hub.borrow_mut().core.leave(&key, &session.user);
            hub.borrow_mut().unsubscribe_if_empty(worker, *room);
        }
        return None;
    };
    for ((room, after), through) in rooms.iter().zip(&missed.through) {
        let membership = Membership {
            from: (*after).min(*through),
            floor: *through,
        };
        session.rooms.insert(*room, membership);
    }
    session.pid = pid;
    Some(missed)
}

async fn read_missed(
    hub: &Shared,
    worker: usize,
    pid: Pid,
    rooms: &[(usize, u64)],
    read: Option<Reading>,
) -> Result<Missed, Error> {
    let epoch = read.as_ref().map(|read| read.position().epoch);
    let mut bookmarks = Vec::new();
    for (room, after) in rooms {
        let joined = subscribe(hub, worker, *room).await?;
        let settings = hub.borrow().places.settings(*room);
        let other = epoch.is_some_and(|epoch| epoch != joined.epoch);
        if other && settings.history.is_some() {
            return Err(Error::Gone);
        }
        bookmarks.push(Bookmark {
            room: hub.borrow().places.key(*room).clone(),
            settings,
            after: *after,
            within: Some(WITHIN),
        });
    }
    let reply = {
        let hub = &mut *hub.borrow_mut();
        let reader = Reader {
            session: pid.session(),
            read,
            connected: false,
        };
        hub.core
            .missed(hub.now, worker, &bookmarks, reader, &mut hub.out)
    };
    reply.wait().await
}

async fn subscribe(hub: &Shared, worker: usize, room: usize) -> Result<Joined, Error> {
    let reply = {
        let hub = &mut *hub.borrow_mut();
        hub.pin(worker, room);
        let (key, settings) = (hub.places.key(room).clone(), hub.places.settings(room));
        hub.core
            .subscribe(hub.now, (worker, &key), &settings, &mut hub.out)
    };
    let joined = reply.wait().await;
    hub.borrow_mut().unpin(worker, room);
    joined
}

fn attach(hub: &Shared, worker: usize, session: Session, backlog: Option<&Missed>) {
    let hub = &mut *hub.borrow_mut();
    let conn = session.conn.unwrap_or_default();
    let connected = Frame::Connected {
        pid: session.pid,
        recovered: backlog.is_some(),
    };
    hub.send(conn, connected);
    for message in backlog.into_iter().flat_map(|missed| &missed.messages) {
        let key = message.room.as_ref();
        if let Some(room) = key.and_then(|key| hub.places.index(key)) {
            let now = Some(hub.inbox.now());
            hub.send(conn, Frame::message(room, message, now));
        }
    }
    let id = session.pid.session().to_string();
    hub.workers[worker].sessions.insert(id, session);
    if hub.workers[worker].gone.contains(&conn) {
        hub.disconnected(worker, conn);
    }
}

pub async fn join(hub: Shared, worker: usize, conn: u64, room: usize) {
    let user = hub
        .borrow_mut()
        .on_conn(worker, conn)
        .map(|s| Arc::clone(&s.user));
    let Some(user) = user else {
        return;
    };
    let _ = join_presence(&hub, room, &user).await;
    let joined = subscribe(&hub, worker, room).await;
    let seated = joined.and_then(|joined| seat(&hub, worker, (conn, room), joined));
    if !matches!(seated, Ok((_, _, true))) {
        let key = hub.borrow().places.key(room).clone();
        hub.borrow_mut().core.leave(&key, &user);
    }
    let Ok((id, offset, _)) = seated else {
        hub.borrow_mut().unsubscribe_if_empty(worker, room);
        let refused = Frame::Joined {
            room,
            offset: None,
            kept: false,
        };
        return hub.borrow_mut().send(conn, refused);
    };
    let kept = save(Rc::clone(&hub), worker, id).await;
    let joined = Frame::Joined {
        room,
        offset: Some(offset),
        kept,
    };
    hub.borrow_mut().send(conn, joined);
}

fn seat(
    hub: &Shared,
    worker: usize,
    (conn, room): (u64, usize),
    joined: Joined,
) -> Result<(String, u64, bool), Error> {
    let hub = &mut *hub.borrow_mut();
    let session = hub.on_conn(worker, conn).ok_or(Error::Unavailable)?;
    // A client that has read further, elsewhere, goes on from there.
    let read = session.came.as_ref();
    let read = read.map_or(0, |read| read.position().offset);
    let from = joined.offset.max(read);
    let floor = from;
    let membership = Membership { from, floor };
    let new = !session.rooms.contains_key(&room);
    session.rooms.entry(room).or_insert(membership);
    Ok((session.pid.session().to_string(), from, new))
}

pub fn leave(hub: &Shared, worker: usize, conn: u64, room: usize) {
    let mut here = hub.borrow_mut();
    if let Some(session) = here.on_conn(worker, conn) {
        let (was, user) = (session.rooms.remove(&room), Arc::clone(&session.user));
        if was.is_some() {
            let key = here.places.key(room).clone();
            here.core.leave(&key, &user);
        }
        here.unsubscribe_if_empty(worker, room);
        here.send(conn, Frame::Left { room });
    }
}

/// Has a session kept as it is now, one save at a time. False where that cannot be done.
pub async fn save(hub: Shared, worker: usize, id: String) -> bool {
    if let Some(session) = hub.borrow_mut().workers[worker].sessions.get_mut(&id) {
        session.saves.due = true;
    }
    loop {
        let reply = {
            let hub = &mut *hub.borrow_mut();
            let Some(session) = hub.workers[worker].sessions.get_mut(&id) else {
                return false;
            };
            if session.saves.under_way {
                None
            } else if !session.saves.due {
                return session.saves.kept;
            } else {
                (session.saves.under_way, session.saves.due) = (true, false);
                let session = &hub.workers[worker].sessions[&id];
                let stored = hub.stored(session);
                Some(hub.core.store(hub.now, &stored, &mut hub.out))
            }
        };
        let Some(reply) = reply else {
            Pause(false).await;
            continue;
        };
        let kept = reply.wait().await.is_ok();
        if let Some(session) = hub.borrow_mut().workers[worker].sessions.get_mut(&id) {
            (session.saves.under_way, session.saves.kept) = (false, kept);
        }
    }
}

pub async fn publish(hub: Shared, number: u64, publication: Publication) {
    let reply = {
        let hub = &mut *hub.borrow_mut();
        hub.core.publish(hub.now, publication, &mut hub.out)
    };
    let receipt = reply.wait().await;
    hub.borrow_mut().published.push((number, receipt));
}

/// Who is in a room, as this gateway sees it.
pub async fn list(hub: Shared, room: usize) {
    let reply = {
        let hub = &mut *hub.borrow_mut();
        let key = hub.places.key(room).clone();
        hub.core.members(hub.now, &key, 100, &mut hub.out)
    };
    let users = reply.wait().await.map(|members| members.users);
    let mut users: Vec<_> = users.unwrap_or_default();
    users.sort_unstable();
    let users = users.iter().map(ToString::to_string).collect();
    hub.borrow_mut().members.push((room, users));
}
