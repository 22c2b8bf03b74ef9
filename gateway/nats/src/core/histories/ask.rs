//! What is asked of the stream, by the part that wants to know it.

use std::time::Duration;

use crate::{
    core::{Purpose, io::Io},
    names::Place,
};

/// How long an answer about the stream may take.
const ANSWER: Duration = Duration::from_secs(2);

/// What a question is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// From where on messages come for sure.
    Barrier,
    /// Whether the stream is the one that it was, and how far it is: the number of the look, and
    /// a part of it.
    Look(u64, Look),
    /// Whether the stream takes a message, asked when no message with a greater offset was known.
    Pulse(u64),
    /// To begin a new epoch.
    Begin,
    /// Which rooms have moved meanwhile, by the number of the question.
    Moved(u64),
    /// What one of them has missed, by the number of the question.
    Backlog(u64),
    /// How many messages there are of those that were stored meanwhile, by the same.
    Expired(u64),
    /// What one room misses.
    Repair(Place),
    /// Whether that is still there.
    RepairCheck(Place),
    /// The acknowledgement of a message.
    Publish(u64),
    /// Whether the message is still there that has the id of another, by the number of that one.
    Held(u64),
    /// A part of what a session missed: the number of the wish, and the place of the room in it.
    Missed(u64, usize, Part),
    /// A page of a history.
    Page(u64),
    /// The last messages of some rooms, by the number of their comparison.
    Audit(u64),
}

/// A part of what has to be known of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// What the stream says of itself.
    Info,
    /// Which epoch it is marked with.
    Mark,
    /// Whether a message is still there, and the same.
    Anchor(usize),
}

/// A part of what has to be known of a room in which a session missed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The last message that the leader has.
    Tail,
    /// The oldest message that is still there.
    First,
    /// When the message was taken after which the session wants all.
    Time,
    /// Whether that message, which its client has, is still there.
    Read,
    /// The messages between two offsets.
    Range,
}

/// Sends a question to the stream.
pub(super) fn ask(io: &mut Io<'_>, subject: String, body: String, ask: Ask) {
    io.request(subject, Vec::new(), body, Purpose::Histories(ask), ANSWER);
}
