//! What is asked of the stream for a page, and what it answers.

use std::{sync::Arc, time::Duration};

use sluice_rooms::{HistoryLimits, Message};

/// One question. A page asks one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// The first message of the room from here on.
    Look(u64),
    /// The last message of the room.
    Last,
    /// So many messages of the room from here on.
    Range(u64, u64),
    /// The message at an offset, whatever its room.
    Exactly(u64),
}

/// A message, and how many of the room there are from it on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) offset: u64,
    pub(super) count: u64,
}

/// One packet of an answer.
#[derive(Debug)]
pub(super) enum Part {
    /// A message; none where it cannot be read.
    Message(Counted, Option<Arc<Message>>),
    /// The answer ends, after one message or more.
    End,
    /// There is no such message.
    Nothing,
}

/// How the read of a page goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// More of the answer comes.
    Wait,
    /// No more of the answer is wanted, and this is asked next.
    Ask(Question),
    /// The page is there.
    Done,
}

/// What a room keeps, as of a time in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) limits: HistoryLimits,
    pub(super) time: u64,
}

impl Kept {
    /// The most messages.
    pub(super) fn most(&self) -> u64 {
        self.limits.max_messages as u64
    }

    /// Whether a message is too old for it, as far as it can be read.
    pub(super) fn is_old(&self, message: Option<&Arc<Message>>) -> bool {
        let age = |message: &Arc<Message>| self.time.saturating_sub(message.time);
        message.is_some_and(|message| Duration::from_millis(age(message)) > self.limits.max_age)
    }
}
