//! Members that come, go, lose their connection and return at any moment never lose a message,
//! get one twice or in another order, unless they are told.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use proptest::prelude::*;
use sluice_backbone::{Backbone, Bookmark, Error};
use sluice_rooms::{Message, RoomKey, RoomSettings};

use crate::support::{Gateway, bookmark, fleeting, keeping, offset, room};

const WORKERS: usize = 2;
const ROOMS: usize = 3;
const SESSIONS: usize = 3;

/// Fewer messages than a test publishes, so that some are gone.
const KEPT: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    Publish(usize),
    Join(usize, usize),
    Leave(usize, usize),
    Detach(usize),
    Recover(usize, usize),
    /// A worker takes care of up to so much of what waits for it.
    Work(usize, usize),
    Sweep,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (session, at, worker) = (0..SESSIONS, 0..ROOMS, 0..WORKERS);
    let step = prop_oneof![
        8 => at.clone().prop_map(Step::Publish),
        3 => (session.clone(), at.clone()).prop_map(|(s, r)| Step::Join(s, r)),
        1 => (session.clone(), at).prop_map(|(s, r)| Step::Leave(s, r)),
        2 => session.clone().prop_map(Step::Detach),
        3 => (session, worker.clone()).prop_map(|(s, w)| Step::Recover(s, w)),
        4 => (worker, 1..6_usize).prop_map(|(w, n)| Step::Work(w, n)),
        1 => Just(Step::Sweep),
    ];
    prop::collection::vec(step, 1..120)
}

/// A session as a worker keeps it, and what its client got.
#[derive(Debug, Default)]
struct Session {
    worker: usize,
    detached: bool,
    /// Its rooms and where its messages there began.
    rooms: BTreeMap<usize, u64>,
    /// The last position that its client knows of.
    position: u64,
    got: Vec<u64>,
    /// What it must have got when everybody has done their work.
    owed: BTreeSet<u64>,
}

impl Session {
    fn on(worker: usize) -> Self {
        Self {
            worker,
            ..Self::default()
        }
    }

    fn get(&mut self, offset: u64) {
        self.got.push(offset);
        self.position = offset;
        assert!(
            self.got.iter().eq(self.owed.iter().take(self.got.len())),
            "{self:?}"
        );
    }
}

struct World {
    gateway: Gateway,
    settings: RoomSettings,
    rooms: Vec<RoomKey>,
    sessions: Vec<Session>,
    queues: Vec<VecDeque<Arc<Message>>>,
    published: Vec<Vec<u64>>,
}

impl World {
    fn new(settings: RoomSettings) -> Self {
        Self {
            gateway: Gateway::new(WORKERS),
            settings,
            rooms: (0..ROOMS).map(|n| room(&n.to_string())).collect(),
            sessions: (0..SESSIONS).map(|n| Session::on(n % WORKERS)).collect(),
            queues: vec![VecDeque::new(); WORKERS],
            published: vec![Vec::new(); ROOMS],
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Publish(at) => self.publish(at),
            Step::Join(session, at) => self.join(session, at),
            Step::Leave(session, at) => self.leave(session, at),
            Step::Detach(session) => self.detach(session),
            Step::Recover(session, worker) => self.recover(session, worker),
            Step::Work(worker, most) => self.work(worker, most),
            Step::Sweep => self.gateway.sweep(),
        }
    }

    fn publish(&mut self, at: usize) {
        let offset = offset(&self.gateway.publish(&self.rooms[at], self.settings));
        self.published[at].push(offset);
        for session in &mut self.sessions {
            if session.rooms.contains_key(&at) {
                session.owed.insert(offset);
            }
        }
    }

    fn join(&mut self, session: usize, at: usize) {
        let session = &mut self.sessions[session];
        if !session.detached && !session.rooms.contains_key(&at) {
            let joined = self
                .gateway
                .subscribe(session.worker, &self.rooms[at], self.settings);
            session.rooms.insert(at, joined.offset);
        }
    }

    /// A session that leaves gets what is still on its way to it first, to keep the model simple.
    fn leave(&mut self, session: usize, at: usize) {
        if self.sessions[session].detached || !self.sessions[session].rooms.contains_key(&at) {
            return;
        }
        self.work(self.sessions[session].worker, usize::MAX);
        self.sessions[session].rooms.remove(&at);
        self.unsubscribe(self.sessions[session].worker, at);
    }

    fn unsubscribe(&self, worker: usize, at: usize) {
        let member = |s: &Session| !s.detached && s.worker == worker && s.rooms.contains_key(&at);
        if !self.sessions.iter().any(member) {
            self.gateway.memory.unsubscribe(worker, &self.rooms[at]);
        }
    }

    fn detach(&mut self, session: usize) {
        if self.sessions[session].detached {
            return;
        }
        self.sessions[session].detached = true;
        let rooms: Vec<_> = self.sessions[session].rooms.keys().copied().collect();
        for at in rooms {
            self.unsubscribe(self.sessions[session].worker, at);
        }
    }

    fn recover(&mut self, session: usize, worker: usize) {
        if !self.sessions[session].detached {
            return;
        }
        let bookmarks = self.bookmarks(&self.sessions[session]);
        for bookmark in &bookmarks {
            self.gateway
                .subscribe(worker, &bookmark.room, self.settings);
        }
        let missed = self.gateway.missed(&bookmarks);
        let session = &mut self.sessions[session];
        if let Ok(missed) = missed {
            missed
                .messages
                .iter()
                .for_each(|message| session.get(message.offset()));
            session
                .rooms
                .values_mut()
                .for_each(|from| *from = missed.through[0]);
            (session.worker, session.detached) = (worker, false);
            return;
        }
        assert_eq!(missed.unwrap_err(), Error::Gone);
        // It was told, and begins anew.
        *session = Session::on(worker);
        assert!(
            self.settings == fleeting() || self.some_are_gone(&bookmarks),
            "nothing is gone"
        );
        (0..ROOMS).for_each(|at| self.unsubscribe(worker, at));
    }

    fn bookmarks(&self, session: &Session) -> Vec<Bookmark> {
        let bookmark = |(at, from): (&usize, &u64)| {
            bookmark(&self.rooms[*at], self.settings, session.position.max(*from))
        };
        session.rooms.iter().map(bookmark).collect()
    }

    fn some_are_gone(&self, bookmarks: &[Bookmark]) -> bool {
        bookmarks.iter().any(|bookmark| {
            let at = self
                .rooms
                .iter()
                .position(|room| *room == bookmark.room)
                .unwrap();
            let newer = self.published[at]
                .iter()
                .filter(|offset| **offset > bookmark.after);
            newer.count() > bookmark.settings.history.unwrap().max_messages
        })
    }

    /// Everybody does their work.
    fn settle(&mut self) {
        (0..WORKERS).for_each(|worker| self.work(worker, usize::MAX));
        for session in self.sessions.iter().filter(|session| !session.detached) {
            assert!(session.got.iter().eq(&session.owed), "{session:?}");
        }
    }

    fn work(&mut self, worker: usize, most: usize) {
        self.queues[worker].extend(self.gateway.messages(worker));
        for _ in 0..most {
            let Some(message) = self.queues[worker].pop_front() else {
                return;
            };
            let at = self
                .rooms
                .iter()
                .position(|r| Some(r) == message.room.as_ref())
                .unwrap();
            for session in &mut self.sessions {
                let here = !session.detached && session.worker == worker;
                if here
                    && session
                        .rooms
                        .get(&at)
                        .is_some_and(|from| message.offset() > *from)
                {
                    session.get(message.offset());
                }
            }
        }
    }
}

fn live(settings: RoomSettings, steps: &[Step]) {
    let mut world = World::new(settings);
    for step in steps {
        world.step(step);
    }
    world.settle();
    (0..SESSIONS).for_each(|session| world.recover(session, 0));
    world.settle();
}

proptest! {
    /// Messages go because newer ones come, so it is known when a session must be told.
    #[test]
    fn members_of_bounded_histories_get_everything_once_or_are_rightly_told(steps in steps()) {
        live(keeping(KEPT), &steps);
    }

    #[test]
    fn members_of_roomy_histories_get_everything_once(steps in steps()) {
        live(keeping(1000), &steps);
    }

    /// Messages expire and whole rooms are forgotten.
    #[test]
    fn members_of_rooms_that_are_forgotten_get_everything_once_or_are_told(steps in steps()) {
        live(fleeting(), &steps);
    }
}
