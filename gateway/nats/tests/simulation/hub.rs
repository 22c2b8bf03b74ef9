//! A gateway's workers: sessions and their rooms, as the gateway proper keeps them.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sluice_backbone::{BackboneEvent, Claim, Record, Stored, Workers};
use sluice_nats::core::{Action, At, Completions, Core, Identity};
use sluice_rooms::{Message, Pid, Reading, RoomKey, SessionId};

use crate::{place::Places, wire::Frame};

pub const WORKERS: usize = 2;

/// How long presence shows a user whose connection was lost.
const GRACE: Duration = Duration::from_secs(15);

pub type Shared = Rc<RefCell<Hub>>;
pub type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What waits for the workers, and when each message was left for them.
#[derive(Debug, Default)]
pub struct Inbox {
    queues: Mutex<[VecDeque<BackboneEvent>; WORKERS]>,
    delivered: Mutex<BTreeMap<u64, u64>>,
    now: AtomicU64,
}

impl Inbox {
    pub fn set_now(&self, now: u64) {
        self.now.store(now, Ordering::Relaxed);
    }

    pub fn take(&self, worker: usize) -> Option<BackboneEvent> {
        self.queues.lock().unwrap()[worker].pop_front()
    }

    pub fn waits(&self, worker: usize) -> bool {
        !self.queues.lock().unwrap()[worker].is_empty()
    }

    pub fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// When a message was left for the workers.
    pub fn delivered(&self, offset: u64) -> Option<u64> {
        self.delivered.lock().unwrap().get(&offset).copied()
    }
}

impl Workers for Inbox {
    fn count(&self) -> usize {
        WORKERS
    }

    fn is_full(&self, _: usize) -> bool {
        false
    }

    fn is_idle(&self, worker: usize) -> bool {
        self.queues.lock().unwrap()[worker].is_empty()
    }

    fn deliver(&self, worker: usize, event: BackboneEvent) {
        if let BackboneEvent::Room(message) = &event {
            let now = self.now();
            let mut delivered = self.delivered.lock().unwrap();
            delivered.entry(message.offset()).or_insert(now);
        }
        self.queues.lock().unwrap()[worker].push_back(event);
    }
}

/// A session's place in a room.
#[derive(Debug, Clone, Copy)]
pub struct Membership {
    /// What it misses, if it ever does, begins after this.
    pub from: u64,
    /// Messages up to this one do not come to it again.
    pub floor: u64,
}

/// How far a session is kept.
#[derive(Debug)]
pub struct Saves {
    /// It has changed since it was last saved.
    pub due: bool,
    /// A save is under way.
    pub under_way: bool,
    /// The last one came through.
    pub kept: bool,
}

#[derive(Debug)]
pub struct Session {
    pub pid: Pid,
    pub user: Arc<str>,
    pub conn: Option<u64>,
    pub rooms: BTreeMap<usize, Membership>,
    /// How far its client had read when it came.
    pub came: Option<Reading>,
    /// What had been delivered when its connection ended.
    pub delivered: u64,
    pub saves: Saves,
    /// Whether presence shows it in its rooms.
    pub present: bool,
    /// Since when it has no connection.
    pub detached: Option<Instant>,
}

/// One worker's part of a gateway.
#[derive(Debug, Default)]
pub struct Worker {
    pub sessions: BTreeMap<String, Session>,
    /// How many who are about to be members need a room to stay subscribed.
    pub awaited: BTreeMap<usize, u32>,
    /// Connections that are known to be gone, so that nobody is attached to them.
    pub gone: Vec<u64>,
}

/// A gateway.
pub struct Hub {
    pub core: Core,
    pub inbox: Arc<Inbox>,
    pub completed: Arc<AtomicBool>,
    pub places: Places,
    pub now: At,
    pub out: Vec<Action>,
    pub workers: [Worker; WORKERS],
    /// What was sent to clients, by connection.
    pub frames: Vec<(u64, Frame)>,
    /// Sessions that were given up.
    pub given: Vec<SessionId>,
    /// What came of publications.
    pub published: Vec<(
        u64,
        Result<sluice_backbone::Receipt, sluice_backbone::Error>,
    )>,
    /// Who it says is in which room.
    pub members: Vec<(usize, Vec<String>)>,
    pub notes: Vec<String>,
}

impl Hub {
    pub fn new(identity: Identity, places: Places, now: At) -> Self {
        let inbox = Arc::new(Inbox::default());
        let completed = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&completed);
        let completions = Completions::new(move || flag.store(true, Ordering::Relaxed));
        let workers: Arc<dyn Workers> = Arc::<Inbox>::clone(&inbox);
        Self {
            core: Core::new(identity, workers, Arc::new(completions)),
            inbox,
            completed,
            places,
            now,
            out: Vec::new(),
            workers: <[Worker; WORKERS]>::default(),
            frames: Vec::new(),
            given: Vec::new(),
            published: Vec::new(),
            members: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn send(&mut self, conn: u64, frame: Frame) {
        self.frames.push((conn, frame));
    }

    /// What a worker does with what it finds in its inbox.
    pub fn deliver(&mut self, worker: usize, event: BackboneEvent) -> Vec<String> {
        match event {
            BackboneEvent::Room(message) => self.pass_on(worker, &message),
            BackboneEvent::Claim(claim, gather) => {
                if let Some(record) = self.give_up(worker, &claim) {
                    gather.add(record);
                }
            }
            BackboneEvent::Lost(key) => {
                if let Some(room) = self.places.index(&key) {
                    self.part_members(worker, room);
                }
            }
            BackboneEvent::Moved(session) => self.moved(worker, &session.to_string()),
            BackboneEvent::StoreAll => {
                let sessions = self.workers[worker].sessions.iter();
                return sessions
                    .filter(|(_, session)| !session.rooms.is_empty())
                    .map(|(id, _)| id.clone())
                    .collect();
            }
            BackboneEvent::Completion(completion) => completion.give(),
            BackboneEvent::Presence(..)
            | BackboneEvent::Command(..)
            | BackboneEvent::Sessions(..) => {}
        }
        Vec::new()
    }

    fn pass_on(&mut self, worker: usize, message: &Arc<Message>) {
        let Some(room) = message.room.as_ref().and_then(|key| self.places.index(key)) else {
            return;
        };
        let offset = message.offset();
        for session in self.workers[worker].sessions.values() {
            let (Some(conn), Some(membership)) = (session.conn, session.rooms.get(&room)) else {
                continue;
            };
            let seen = offset != 0 && offset <= membership.floor;
            if !seen && message.except != Some(session.pid.session()) {
                self.frames
                    .push((conn, Frame::message(room, message, None)));
            }
        }
    }

    fn part_members(&mut self, worker: usize, room: usize) {
        let members: Vec<_> = self.workers[worker]
            .sessions
            .values()
            .filter(|session| session.rooms.contains_key(&room))
            .filter_map(|session| session.conn)
            .collect();
        for conn in members {
            self.send(conn, Frame::Closed);
            self.disconnected(worker, conn);
        }
    }

    /// Ends a session here, if it is the one that is claimed.
    pub fn give_up(&mut self, worker: usize, claim: &Claim) -> Option<Record> {
        let id = claim.pid.session().to_string();
        let session = self.workers[worker].sessions.get(&id)?;
        if session.pid != claim.pid || session.user != claim.user {
            return None;
        }
        if self.was_elsewhere(session, claim.read.as_ref()) {
            self.moved(worker, &id);
            self.core
                .forget(self.now, claim.pid.session(), &mut self.out);
            return None;
        }
        let (mut rooms, present) = (self.record_rooms(session), session.present);
        if let Some(read) = claim.read.as_ref().filter(|_| claim.read != session.came) {
            if read.is_lost() {
                return None;
            }
            self.core.read_up_to(&mut rooms, read);
        }
        if let Some(conn) = session.conn {
            self.send(conn, Frame::Closed);
            self.disconnected(worker, conn);
        }
        self.workers[worker].sessions.remove(&id);
        self.given.push(claim.pid.session());
        Some(Record { rooms, present })
    }

    /// Whether its client has read further than it was ever told here.
    fn was_elsewhere(&self, session: &Session, read: Option<&Reading>) -> bool {
        let delivered = match session.conn {
            Some(_) => self.core.delivered(),
            None => session.delivered,
        };
        let came = session
            .came
            .as_ref()
            .map_or(0, |read| read.position().offset);
        read.is_some_and(|read| read.position().offset > delivered.max(came))
    }

    fn moved(&mut self, worker: usize, id: &str) {
        let Some(session) = self.workers[worker].sessions.get(id) else {
            return;
        };
        if let Some(conn) = session.conn {
            self.send(conn, Frame::Closed);
            self.disconnected(worker, conn);
        }
        self.leave_presence(worker, id);
        self.workers[worker].sessions.remove(id);
    }

    fn leave_presence(&mut self, worker: usize, id: &str) {
        if let Some(session) = self.workers[worker].sessions.get_mut(id)
            && std::mem::replace(&mut session.present, false)
        {
            for room in session.rooms.keys() {
                self.core.leave(self.places.key(*room), &session.user);
            }
        }
    }

    /// Sessions that are away for so long that presence says so.
    pub fn note_absent(&mut self) {
        for worker in 0..WORKERS {
            let sessions = self.workers[worker].sessions.iter();
            let over = |at: Instant| self.now.now.duration_since(at) >= GRACE;
            let absent: Vec<_> = sessions
                .filter(|(_, session)| session.present && session.detached.is_some_and(over))
                .map(|(id, _)| id.clone())
                .collect();
            for id in absent {
                self.leave_presence(worker, &id);
            }
        }
    }

    fn record_rooms(&self, session: &Session) -> Vec<(RoomKey, u64)> {
        let rooms = session.rooms.iter();
        rooms
            .map(|(room, membership)| (self.places.key(*room).clone(), membership.from))
            .collect()
    }

    pub fn stored(&self, session: &Session) -> Stored {
        Stored {
            session: session.pid.session(),
            user: Arc::clone(&session.user),
            namespace: "/".into(),
            rooms: self.record_rooms(session),
            caught_up: Vec::new(),
            came: session.came.clone(),
        }
    }

    /// A connection has ended; its session waits to be recovered.
    pub fn disconnected(&mut self, worker: usize, conn: u64) {
        self.workers[worker].gone.push(conn);
        let delivered = self.core.delivered();
        let sessions = self.workers[worker].sessions.values_mut();
        let mut rooms = Vec::new();
        for session in sessions.filter(|session| session.conn == Some(conn)) {
            (session.conn, session.detached) = (None, Some(self.now.now));
            session.delivered = delivered;
            rooms.extend(session.rooms.keys().copied());
        }
        for room in rooms {
            self.unsubscribe_if_empty(worker, room);
        }
    }

    pub fn unsubscribe_if_empty(&mut self, worker: usize, room: usize) {
        let part = &self.workers[worker];
        let awaited = part.awaited.get(&room).is_some_and(|count| *count > 0);
        let member =
            |session: &Session| session.conn.is_some() && session.rooms.contains_key(&room);
        if !awaited && !part.sessions.values().any(member) {
            let key = self.places.key(room).clone();
            self.core.unsubscribe(self.now, worker, &key, &mut self.out);
        }
    }

    pub fn pin(&mut self, worker: usize, room: usize) {
        *self.workers[worker].awaited.entry(room).or_default() += 1;
    }

    pub fn unpin(&mut self, worker: usize, room: usize) {
        if let Some(count) = self.workers[worker].awaited.get_mut(&room) {
            *count -= 1;
        }
    }

    pub fn on_conn(&mut self, worker: usize, conn: u64) -> Option<&mut Session> {
        let sessions = self.workers[worker].sessions.values_mut();
        sessions.into_iter().find(|s| s.conn == Some(conn))
    }

    /// Whom a client is, as far as it says.
    pub fn claim_of(pid: Pid, user: &Arc<str>, read: Option<Reading>) -> Claim {
        Claim {
            pid,
            user: Arc::clone(user),
            namespace: "/".into(),
            read,
        }
    }
}
