//! Workers that only collect what they are given, and short names for what tests do.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sluice_backbone::{
    Backbone, BackboneEvent, Bookmark, Error, Joined, Memory, Missed, Publication, Reader, Receipt,
    Reply, Workers,
};
use sluice_rooms::{
    HistoryLimits, Message, Pid, PresenceMode, Publisher, Query, RoomKey, RoomSettings, SessionId,
};

/// As many ticks as lie between two sweeps.
const SWEEP: usize = 100;

#[derive(Default)]
pub struct FakeWorkers {
    queues: Vec<Mutex<Vec<BackboneEvent>>>,
    pub full: AtomicBool,
    pub busy: AtomicBool,
}

impl Workers for FakeWorkers {
    fn count(&self) -> usize {
        self.queues.len()
    }

    fn is_full(&self, _: usize) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    fn is_idle(&self, _: usize) -> bool {
        !self.busy.load(Ordering::Relaxed)
    }

    fn deliver(&self, worker: usize, event: BackboneEvent) {
        self.queues[worker].lock().unwrap().push(event);
    }
}

/// A backbone and its workers.
pub struct Gateway {
    pub memory: Memory,
    pub workers: Arc<FakeWorkers>,
}

impl Gateway {
    pub fn new(workers: usize) -> Self {
        Self::bounded(workers, usize::MAX)
    }

    /// One whose histories have so many bytes at most.
    pub fn bounded(workers: usize, history_bytes: usize) -> Self {
        let queues = (0..workers).map(|_| Mutex::default()).collect();
        let workers = Arc::new(FakeWorkers {
            queues,
            full: AtomicBool::new(false),
            busy: AtomicBool::new(false),
        });
        Self {
            memory: Memory::bounded(Arc::clone(&workers) as _, history_bytes),
            workers,
        }
    }

    pub fn publish(&self, room: &RoomKey, settings: RoomSettings) -> Receipt {
        now(self.memory.publish(publication(room, settings))).unwrap()
    }

    pub fn publish_with_id(&self, room: &RoomKey, settings: RoomSettings, id: &str) -> Receipt {
        self.publish_as(&Publisher::Application, room, settings, id)
    }

    pub fn publish_as(
        &self,
        publisher: &Publisher,
        room: &RoomKey,
        settings: RoomSettings,
        id: &str,
    ) -> Receipt {
        let publication = Publication {
            publisher: publisher.clone(),
            id: Some(id.into()),
            ..publication(room, settings)
        };
        now(self.memory.publish(publication)).unwrap()
    }

    pub fn subscribe(&self, worker: usize, room: &RoomKey, settings: RoomSettings) -> Joined {
        now(self.memory.subscribe(worker, room, &settings)).unwrap()
    }

    pub fn missed(&self, bookmarks: &[Bookmark]) -> Result<Missed, Error> {
        now(self.memory.missed(0, bookmarks, away(stranger())))
    }

    /// Everything that was left for a worker since this was last asked.
    pub fn take(&self, worker: usize) -> Vec<BackboneEvent> {
        std::mem::take(&mut *self.workers.queues[worker].lock().unwrap())
    }

    /// Hands over the answers among [`Self::take`].
    pub fn give_answers(&self, worker: usize) {
        for event in self.take(worker) {
            if let BackboneEvent::Completion(completion) = event {
                completion.give();
            }
        }
    }

    /// The messages among [`Self::take`].
    pub fn messages(&self, worker: usize) -> Vec<Arc<Message>> {
        let message = |event| match event {
            BackboneEvent::Room(message) => Some(message),
            _ => None,
        };
        self.take(worker).into_iter().filter_map(message).collect()
    }

    /// Has everything expire that is older than its room allows.
    pub fn sweep(&self) {
        (0..SWEEP).for_each(|_| self.memory.tick());
    }

    pub fn kept(&self, room: &RoomKey) -> Vec<u64> {
        let query = Query {
            limit: usize::MAX,
            ..Query::default()
        };
        offsets(
            &now(self.memory.history(room, &RoomSettings::default(), query))
                .unwrap()
                .1
                .messages,
        )
    }
}

/// The answer of a backbone that has it at once.
pub fn now<T>(reply: Reply<T>) -> Result<T, Error> {
    match reply {
        Reply::Now(result) => result,
        Reply::Later(_) => panic!("the answer should be there at once"),
    }
}

/// The answer of a backbone that asks its workers.
pub fn later<T>(reply: Reply<T>) -> Result<T, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(reply.wait())
}

pub fn room(name: &str) -> RoomKey {
    RoomKey::new("/", name)
}

pub fn kept(max_messages: usize, max_age: Duration) -> RoomSettings {
    let history = Some(HistoryLimits {
        max_messages,
        max_age,
    });
    RoomSettings {
        history,
        ..RoomSettings::default()
    }
}

/// A room that keeps so many messages for as long as a test runs.
pub fn keeping(max_messages: usize) -> RoomSettings {
    kept(max_messages, Duration::from_hours(1))
}

/// A room whose messages have expired by the next sweep.
pub fn fleeting() -> RoomSettings {
    kept(1000, Duration::ZERO)
}

pub fn announced() -> RoomSettings {
    RoomSettings {
        presence: PresenceMode::Announced,
        ..RoomSettings::default()
    }
}

pub fn publication(room: &RoomKey, settings: RoomSettings) -> Publication {
    Publication {
        room: room.clone(),
        settings,
        event: "e".into(),
        data: "null".into(),
        attachments: Vec::new(),
        from: None,
        publisher: Publisher::Application,
        id: None,
        except: None,
    }
}

/// A session that comes back.
pub fn away(session: SessionId) -> Reader {
    Reader {
        session,
        read: None,
        connected: false,
    }
}

pub fn bookmark(room: &RoomKey, settings: RoomSettings, after: u64) -> Bookmark {
    Bookmark {
        room: room.clone(),
        settings,
        after,
        within: None,
    }
}

pub fn offset(receipt: &Receipt) -> u64 {
    receipt.position.unwrap().offset
}

pub fn offsets(messages: &[Arc<Message>]) -> Vec<u64> {
    messages.iter().map(|message| message.offset()).collect()
}

pub fn stranger() -> SessionId {
    Pid::random().session()
}
