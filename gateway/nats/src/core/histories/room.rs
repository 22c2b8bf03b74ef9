//! One room with history, as far as this gateway follows it.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_backbone::{Error, Joined};
use sluice_rooms::{Message, RoomKey, RoomMark};
use tokio::sync::oneshot;

use crate::{core::workers::Workers, names::Place};

/// The most recent messages that are held, so that who comes back a moment later needs no look
/// into the stream.
const RECENT: usize = 256;

/// The most bytes of them.
const RECENT_BYTES: usize = 256 << 10;

/// How long they are held.
const RECENT_FOR: Duration = Duration::from_mins(2);

/// How long after an answer that did not have what is missing it is asked for again.
const REPAIR_AGAIN: Duration = Duration::from_millis(100);

/// The most messages that wait for a repair. What is dropped is missed again afterwards.
const HELD: usize = 16_384;

/// A message on its way to the members.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) message: Message,
    pub(super) offset: u64,
    /// The offset of the room's message before it.
    pub(super) previous: u64,
}

/// Who waits for a room to be followed.
pub(super) type Waiting = (usize, oneshot::Sender<Result<Joined, Error>>);

/// How a room is followed.
#[derive(Debug)]
pub(super) enum Phase {
    /// It was subscribed to; it is not known yet from where on messages come for sure.
    Joining {
        waiting: Vec<Waiting>,
        early: Vec<Arrival>,
        since: Instant,
    },
    /// Every message comes, or is missed when the next one does.
    Following,
    /// Some are missing and are being read from the stream; what came after them waits.
    Repairing(Repair),
}

/// A repair under way.
#[derive(Debug)]
pub(super) struct Repair {
    /// The last message that is known to be missing.
    pub(super) through: u64,
    pub(super) held: VecDeque<Arrival>,
    pub(super) tries: u32,
    /// When to read again; none while it waits for its turn or for an answer.
    pub(super) again: Option<Instant>,
    /// The last message that was delivered when it was read last.
    pub(super) began: u64,
    /// Whether the answer that is awaited has shown that nothing is gone before it.
    pub(super) proven: bool,
}

impl Repair {
    pub(super) fn new(through: u64, arrival: Option<Arrival>) -> Self {
        Self {
            through,
            held: arrival.into_iter().collect(),
            tries: 0,
            again: None,
            began: 0,
            proven: false,
        }
    }

    pub(super) fn hold(&mut self, arrival: Arrival) {
        if self.held.len() < HELD {
            self.held.push_back(arrival);
        }
    }

    pub(super) fn later(&mut self, now: Instant) {
        self.tries += 1;
        self.again = Some(now + REPAIR_AGAIN);
    }
}

/// What to do with a message.
#[derive(Debug)]
pub(super) enum Step {
    /// The message was delivered before.
    Repeated,
    /// The message is the next one of the room.
    Next(Arrival),
    /// The messages between this offset and this one are missing.
    Gap(u64, Arrival),
}

/// A room that this gateway follows.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) key: RoomKey,
    pub(super) mark: RoomMark,
    pub(super) place: Place,
    pub(super) workers: Workers,
    pub(super) phase: Phase,
    /// The last message that was delivered, or after which the room is followed.
    pub(super) head: u64,
    /// Every message after this one was delivered here, and is recent unless it was dropped.
    pub(super) floor: u64,
    /// The last message up to where the room was followed from; unknown until somebody asks.
    pub(super) tail: Option<u64>,
    pub(super) recent: VecDeque<Arc<Message>>,
    recent_bytes: usize,
    /// Since when no worker has needed it.
    pub(super) idle_since: Option<Instant>,
    /// How long its messages are kept, in seconds.
    keeps: u32,
}

impl Room {
    pub(super) fn new(key: RoomKey, place: Place, now: Instant) -> Self {
        Self {
            mark: RoomMark::of(&key),
            key,
            place,
            workers: Workers::default(),
            phase: Phase::Joining {
                waiting: Vec::new(),
                early: Vec::new(),
                since: now,
            },
            head: 0,
            floor: 0,
            tail: None,
            recent: VecDeque::new(),
            recent_bytes: 0,
            idle_since: None,
            keeps: u32::MAX,
        }
    }

    /// Its messages are kept for so long.
    pub(super) fn keep(&mut self, max_age: Duration) {
        self.keeps = max_age.as_secs().max(1).try_into().unwrap_or(u32::MAX);
    }

    /// How long its messages are kept.
    pub(super) fn keeps(&self) -> Duration {
        Duration::from_secs(self.keeps.into())
    }

    /// Follows the room from after `offset` on.
    pub(super) fn follow(&mut self, offset: u64) {
        self.phase = Phase::Following;
        (self.head, self.floor, self.tail) = (offset, offset, None);
        self.drop_recent();
    }

    /// Where a message stands to what was delivered. The previous one in the room tells whether
    /// any are missing.
    pub(super) fn step(&self, arrival: Arrival) -> Step {
        if arrival.offset <= self.head {
            Step::Repeated
        } else if arrival.previous <= self.head {
            Step::Next(arrival)
        } else {
            Step::Gap(arrival.previous, arrival)
        }
    }

    /// Notes that a message is delivered.
    pub(super) fn delivered(&mut self, message: &Arc<Message>) {
        self.head = message.offset();
        self.recent_bytes += message.size();
        self.recent.push_back(Arc::clone(message));
        while self.recent.len() > RECENT || self.recent_bytes > RECENT_BYTES {
            self.drop_oldest();
        }
    }

    /// Notes that messages up to `offset` are gone: what was delivered has a gap before it.
    pub(super) fn lose(&mut self, offset: u64) {
        self.head = self.head.max(offset);
        (self.floor, self.tail) = (self.head, None);
        self.drop_recent();
    }

    /// Drops what is not recent any more.
    pub(super) fn age(&mut self, now: Instant) {
        let old = |message: &Arc<Message>| now.duration_since(message.accepted) > RECENT_FOR;
        while self.recent.front().is_some_and(old) {
            self.drop_oldest();
        }
        if self.recent.is_empty() {
            self.recent = VecDeque::new();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(message) = self.recent.pop_front() {
            self.recent_bytes -= message.size();
            self.floor = message.offset();
            self.tail = Some(self.floor);
        }
    }

    fn drop_recent(&mut self) {
        self.recent = VecDeque::new();
        self.recent_bytes = 0;
    }

    /// Roughly the memory that the recent messages hold, in bytes.
    pub(super) fn recent_bytes(&self) -> usize {
        self.recent_bytes
    }

    /// Recent messages after `offset`, which must not be less than the floor.
    pub(super) fn recent_after(&self, offset: u64) -> impl Iterator<Item = &Arc<Message>> {
        let start = self.recent.partition_point(|m| m.offset() <= offset);
        self.recent.range(start..)
    }

    /// Whether a message is after all that was delivered, with nothing that is known to be missing.
    pub(super) fn is_next(&self, offset: u64) -> bool {
        matches!(self.phase, Phase::Following) && self.head < offset
    }

    pub(super) fn is_followed(&self) -> bool {
        !matches!(self.phase, Phase::Joining { .. })
    }
}
