//! The stream: what is known of it, how it is asked, and what it answers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::json;
use sluice_contract::{Decoded, Envelope, Names, Subject};
use sluice_rooms::{Epoch, Message, Position};
use sluice_util::Digest64;

use crate::{
    Packet,
    core::counters::Unread,
    envelope,
    names::{self, Place},
};

/// The most messages of one answer.
pub(super) const BATCH: u64 = 1_000;

/// The most bytes of one answer.
pub(super) const BATCH_BYTES: u64 = 4 << 20;

/// What is known of the stream.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stream {
    /// The history's identity; none until the stream was seen.
    pub(super) epoch: Option<Epoch>,
    pub(super) limits: Limits,
}

/// What the stream keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// The most messages that it keeps of a room.
    pub(super) per_room: Option<u64>,
    /// The greatest age of its messages.
    pub(super) max_age: Option<Duration>,
}

/// What the stream says of itself.
#[derive(Debug, Clone)]
pub(super) struct Info {
    /// The epoch of a stream of this name that was made then, unless a mark in it says another.
    pub(super) epoch: Epoch,
    /// When it was made.
    pub(super) created: Box<str>,
    pub(super) last: u64,
    pub(super) limits: Limits,
}

/// One answer out of a batch (ADR-31 of NATS).
#[derive(Debug)]
pub(super) enum Got {
    /// A message, and how many follow it in the stream.
    Message(Box<Found>),
    /// The batch ends here.
    End,
    /// The stream has no such message.
    Nothing,
    /// Nobody answers for the stream now, or not in this way.
    Unavailable,
    /// The question is none, so that asking it again would not help either.
    Refused,
    /// A message at this offset that cannot be read.
    Unread(u64, Unread),
}

/// A stored message.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) offset: u64,
    pub(super) pending: u64,
    pub(super) message: Message,
}

impl Found {
    /// Whether nothing of the room is gone between `offset` and this message, which was found
    /// first from there on. The oldest messages of a room go first: where one at or before
    /// `offset` is still there, or the room is not full of newer ones, none has gone after it.
    pub(super) fn follows(&self, offset: u64, limits: Limits) -> bool {
        let full = |limit: u64| self.pending.saturating_add(1) >= limit;
        self.offset <= offset || !limits.per_room.is_some_and(full)
    }

    pub(super) fn into_message(self, epoch: Epoch) -> Arc<Message> {
        let position = Some(Position {
            epoch,
            offset: self.offset,
        });
        Arc::new(Message {
            position,
            ..self.message
        })
    }
}

pub(super) fn info_subject(names: &Names) -> String {
    format!("$JS.API.STREAM.INFO.{}", names.rooms_stream())
}

/// Where batches are asked for. Any replica of the stream answers.
pub(super) fn batch_subject(names: &Names) -> String {
    format!("$JS.API.DIRECT.GET.{}", names.rooms_stream())
}

/// The leader answers, so what it has not got is not there.
pub(super) fn leader_subject(names: &Names) -> String {
    format!("$JS.API.STREAM.MSG.GET.{}", names.rooms_stream())
}

/// Messages of a subject, which may have wildcards, from `offset` on.
pub(super) fn from_offset(subject: &str, offset: u64, batch: u64) -> String {
    from_offset_within(subject, offset, (batch, BATCH_BYTES))
}

/// So many of them, and so many bytes; the message that reaches that is the last.
pub(super) fn from_offset_within(subject: &str, offset: u64, (batch, bytes): (u64, u64)) -> String {
    json!({"seq": offset, "next_by_subj": subject, "batch": batch, "max_bytes": bytes}).to_string()
}

/// The last message of each subject, where it is after an offset.
pub(super) fn last_after(subjects: &[String], offset: u64) -> String {
    let seq = offset.saturating_add(1);
    json!({"multi_last": subjects, "seq": seq, "max_bytes": BATCH_BYTES}).to_string()
}

/// One message, whatever its room. There is none at 0, and who asks for it is refused.
pub(super) fn exactly(offset: u64) -> String {
    json!({"seq": offset}).to_string()
}

/// The next message of a subject, asked of the leader.
pub(super) fn next_of(subject: &str, offset: u64) -> String {
    json!({"seq": offset, "next_by_subj": subject}).to_string()
}

/// The last message of a subject.
pub(super) fn last_by(subject: &str) -> String {
    json!({"last_by_subj": subject}).to_string()
}

/// Reads one answer out of a batch.
pub(super) fn got(names: &Names, packet: &Packet, now: Instant) -> Got {
    match packet.headers.status() {
        None => found(names, packet, now),
        Some(204) => Got::End,
        Some(404) => Got::Nothing,
        Some(_) if is_refused(packet) => Got::Refused,
        Some(_) => Got::Unavailable,
    }
}

/// Whether a question was refused, as it would be if it were asked again.
pub(super) fn is_refused(packet: &Packet) -> bool {
    matches!(packet.headers.status(), Some(400 | 408 | 412 | 413))
}

fn found(names: &Names, packet: &Packet, now: Instant) -> Got {
    let headers = &packet.headers;
    let Some(offset) = headers.number("Nats-Sequence") else {
        return Got::Unavailable;
    };
    let place = || {
        let Subject::Stored(place) = names.parse(headers.get("Nats-Subject")?)? else {
            return None;
        };
        Some((Place::from(place), names::room(place)?))
    };
    let Some((place, room)) = place() else {
        return Got::Unread(offset, Unread::Garbage);
    };
    match envelope::decode(room, &packet.payload, now) {
        Decoded::Known(received) => Got::Message(Box::new(Found {
            place,
            offset,
            pending: pending(packet),
            message: received.message,
        })),
        Decoded::Newer => Got::Unread(offset, Unread::Newer),
        Decoded::Garbage => Got::Unread(offset, Unread::Garbage),
    }
}

/// What a stream says of itself, as far as all streams have it.
#[derive(Debug)]
pub(crate) enum StreamState {
    /// It was made then, and this is its last sequence number.
    There { created: Box<str>, last: u64 },
    /// There is no such stream.
    Gone,
    /// It has no leader now, or nobody answers for it.
    Unknown,
}

/// Reads what a stream says of itself.
pub(crate) fn stream_state(packet: &Packet) -> StreamState {
    match info(packet) {
        Some(Info { created, last, .. }) => StreamState::There { created, last },
        None if is_gone(packet) => StreamState::Gone,
        None => StreamState::Unknown,
    }
}

/// Whether the servers say that there is no such stream.
pub(super) fn is_gone(packet: &Packet) -> bool {
    #[derive(Deserialize)]
    struct Reply {
        error: Refused,
    }
    let reply = serde_json::from_slice::<Reply>(&packet.payload);
    reply.is_ok_and(|reply| reply.error.code == 404)
}

/// The last message of the stream as whoever has answered knew it, at the end of an answer with
/// the last messages of subjects.
pub(super) fn up_to(packet: &Packet) -> Option<u64> {
    packet.headers.number("Nats-UpTo-Sequence")
}

/// How many messages follow the one of an answer.
pub(super) fn pending(packet: &Packet) -> u64 {
    packet.headers.number("Nats-Num-Pending").unwrap_or(0)
}

/// Reads what the stream says of itself; `None` where it is not there or has no leader.
pub(super) fn info(packet: &Packet) -> Option<Info> {
    #[derive(Deserialize)]
    struct Reply {
        created: String,
        config: Config,
        state: State,
    }
    #[derive(Deserialize)]
    struct Config {
        name: String,
        #[serde(default)]
        max_age: u64,
        #[serde(default)]
        max_msgs_per_subject: i64,
    }
    #[derive(Deserialize)]
    struct State {
        last_seq: u64,
    }
    let reply: Reply = serde_json::from_slice(&packet.payload).ok()?;
    let per_room = u64::try_from(reply.config.max_msgs_per_subject).ok();
    Some(Info {
        epoch: epoch(&reply.config.name, &reply.created),
        created: reply.created.into(),
        last: reply.state.last_seq,
        limits: Limits {
            per_room: per_room.filter(|limit| *limit > 0),
            max_age: (reply.config.max_age > 0).then(|| Duration::from_nanos(reply.config.max_age)),
        },
    })
}

/// A stream that was made anew numbers its messages anew.
fn epoch(stream: &str, created: &str) -> Epoch {
    Epoch::from_bits(Digest64::of(format!("{stream} {created}")).bits())
}

/// The leader's answer for one message: its offset, or that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leader {
    Has(u64),
    Nothing,
    Unavailable,
}

pub(super) fn leader(packet: &Packet) -> Leader {
    match kept(packet) {
        Kept::Message(message) => Leader::Has(message.seq),
        Kept::Nothing => Leader::Nothing,
        Kept::Unavailable => Leader::Unavailable,
    }
}

/// The leader's answer for one message: the message, or that there is none.
#[derive(Debug)]
pub(super) enum Kept {
    Message(KeptMessage),
    Nothing,
    Unavailable,
}

/// A message as the leader has it.
#[derive(Debug, Deserialize)]
pub(super) struct KeptMessage {
    pub(super) seq: u64,
    #[serde(default)]
    pub(super) subject: String,
    /// Its payload, in base 64.
    #[serde(default)]
    data: String,
}

#[derive(Debug, Deserialize)]
struct Refused {
    code: u16,
}

impl KeptMessage {
    /// Its payload.
    pub(super) fn payload(&self) -> Vec<u8> {
        STANDARD.decode(&self.data).unwrap_or_default()
    }

    /// What tells it from any other message: a room's message has an id, and a gateway's own is
    /// written once.
    pub(super) fn identity(&self, names: &Names) -> Box<str> {
        let payload = self.payload();
        let place = names.parse(&self.subject);
        let is_room =
            |place| matches!(place, Subject::Stored(place) if names::room(place).is_some());
        let envelope = Envelope::decode(&payload).known();
        match envelope.filter(|_| place.is_some_and(is_room)) {
            Some(envelope) => envelope.id.into(),
            None => String::from_utf8_lossy(&payload).into(),
        }
    }
}

pub(super) fn kept(packet: &Packet) -> Kept {
    #[derive(Deserialize)]
    struct Reply {
        message: Option<KeptMessage>,
        error: Option<Refused>,
    }
    match serde_json::from_slice::<Reply>(&packet.payload) {
        Ok(Reply {
            message: Some(message),
            ..
        }) => Kept::Message(message),
        Ok(Reply {
            error: Some(Refused { code: 404 }),
            ..
        }) => Kept::Nothing,
        _ => Kept::Unavailable,
    }
}

/// The offset under which something was stored as a new message; `None` where it was not.
pub(super) fn stored(packet: &Packet) -> Option<u64> {
    #[derive(Deserialize)]
    struct Ack {
        #[serde(default)]
        seq: u64,
        error: Option<serde::de::IgnoredAny>,
    }
    let ack: Ack = serde_json::from_slice(&packet.payload).ok()?;
    (ack.error.is_none() && ack.seq > 0).then_some(ack.seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_of_a_stream_is_the_same_in_every_version() {
        let epoch = epoch("KV_x", "2026-01-01T00:00:00Z");
        assert_eq!(epoch, Epoch::from_bits(0xe44b_1b4d_e4ea_f545));
    }
}
