//! Storing messages, until the stream says that it has them.

mod known;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde::Deserialize;
use sluice_backbone::{Error, Publication, Receipt, Reply};
use sluice_contract::message_id;
use sluice_rooms::{Epoch, HistoryLimits, Message, Position, Publisher};
use tokio::sync::oneshot;

use super::{Ask, Io, stream::Stream};
use crate::{
    Packet,
    core::{Purpose, io::Fields},
    envelope,
    names::{self, Place},
};

/// How long a message may wait to be stored before its publisher is refused.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an acknowledgement may take before the message is sent again, under the same id.
const ACK: Duration = Duration::from_secs(1);

/// How long after a refusal it is sent again.
const AGAIN: Duration = Duration::from_millis(200);

/// The most messages, and bytes of them, that wait at once.
const WAITING: usize = 65_536;
const WAITING_BYTES: usize = 64 << 20;

/// The most rooms whose rate is remembered within a second.
const RATED: usize = 262_144;

/// Whose an id is to the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdOwner {
    /// Everyone's who may publish in the room, as in the forms of 0.1.0.
    Room,
    /// The publisher's.
    Publisher,
}

impl IdOwner {
    /// What the stream knows the owner by, where it is not the room or the application.
    fn name(self, publisher: &Publisher) -> Option<String> {
        match publisher {
            _ if self == Self::Room => None,
            Publisher::Application => None,
            Publisher::User(user) => Some(format!("user:{user}")),
            Publisher::Session(session) => Some(format!("session:{session}")),
        }
    }
}

/// A message that is not known to be stored.
#[derive(Debug)]
struct Waiting {
    subject: String,
    headers: Fields,
    payload: Bytes,
    id: Box<str>,
    tell: oneshot::Sender<Result<Receipt, Error>>,
    until: Instant,
    /// No message with a greater offset was known when it was taken.
    reach: u64,
    /// The message that the stream knows by its id, of which it is not known whether it is still there.
    known: Option<u64>,
    /// When it is sent again; none while an answer is awaited.
    again: Option<Instant>,
    sent: u32,
}

/// What an answer of the stream says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has stored a message under this offset, which was sent when none with an offset greater
    /// than `reach` was known.
    Stored { offset: u64, reach: u64 },
    /// It knows another message by this id, which is looked for next.
    Known,
    /// Nobody is there to store it.
    Nowhere,
    /// Nothing.
    Other,
}

/// Messages on their way into the stream, in the order in which they were taken.
#[derive(Debug, Default)]
pub(super) struct Publishing {
    last: u64,
    waiting: BTreeMap<u64, Waiting>,
    bytes: usize,
    /// How many messages of a room came in which second.
    rates: HashMap<Place, (u64, u32)>,
    /// How many were stored, and how many were sent again.
    published: u64,
    retried: u64,
}

impl Publishing {
    /// Counts a message that another gateway took against its room's rate, where one is kept.
    pub(super) fn count_foreign(&mut self, io: &Io<'_>, message: &Message) {
        let Some(key) = message.room.as_ref().filter(|_| !self.rates.is_empty()) else {
            return;
        };
        let second = io.time / 1000;
        if let Some((counted, count)) = self.rates.get_mut(&names::place(key))
            && *counted == second
        {
            *count += 1;
        }
    }

    /// Whether the room takes one more message in this second.
    fn admit(&mut self, io: &Io<'_>, place: &Place, per_second: Option<u32>) -> bool {
        let Some(per_second) = per_second else {
            return true;
        };
        let second = io.time / 1000;
        if self.rates.len() >= RATED {
            self.rates.retain(|_, (counted, _)| *counted == second);
        }
        let entry = self.rates.entry(Arc::clone(place)).or_insert((second, 0));
        if entry.0 != second {
            *entry = (second, 0);
        }
        entry.1 = entry.1.saturating_add(1);
        entry.1 <= per_second
    }

    pub(super) fn unanswered(&mut self, io: &Io<'_>, id: u64) {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            waiting.again = Some(io.now);
        }
    }

    fn take(&mut self, id: u64) -> Option<Waiting> {
        let waiting = self.waiting.remove(&id)?;
        self.bytes -= waiting.payload.len();
        Some(waiting)
    }

    /// How many messages wait to be stored.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// How many were stored, and how many were sent again because no answer came.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.published, self.retried)
    }

    /// Stores a message. It is delivered once the stream passes it on.
    pub(super) fn publish(
        &mut self,
        io: &mut Io<'_>,
        (stream, reach): (&Stream, u64),
        publication: Publication,
        owner: IdOwner,
        limits: &HistoryLimits,
    ) -> Reply<Receipt> {
        let place = names::place(&publication.room);
        let size = publication.data.len();
        if self.len() >= WAITING || self.bytes + size > WAITING_BYTES {
            return Reply::Now(Err(Error::Overloaded));
        }
        let per_second = publication.settings.messages_per_second;
        if !self.admit(io, &place, per_second) {
            return Reply::Now(Err(Error::RoomRate));
        }
        let owner = owner.name(&publication.publisher);
        let message = io.accept(publication);
        let payload = envelope::encode(&message, io.gateway);
        let stream_id = message_id(&place, &message.id, owner.as_deref());
        let headers = headers(stream, stream_id, limits);
        if !io.fits(&headers, payload.len()) {
            return Reply::Now(Err(Error::TooLarge));
        }
        let (tell, told) = oneshot::channel();
        self.last += 1;
        let id = self.last;
        self.bytes += payload.len();
        let waiting = Waiting {
            subject: io.names.stored(&place),
            headers,
            payload,
            id: message.id,
            tell,
            until: io.now + PATIENCE,
            reach,
            known: None,
            again: Some(io.now),
            sent: 0,
        };
        self.waiting.insert(id, waiting);
        if io.connected && stream.epoch.is_some() {
            self.send(io, id);
        }
        Reply::told(told)
    }

    fn send(&mut self, io: &mut Io<'_>, id: u64) {
        let Some(waiting) = self.waiting.get_mut(&id) else {
            return;
        };
        if let Some(offset) = waiting.known {
            waiting.again = None;
            return known::look_for(io, id, offset);
        }
        // It waited for other servers than those that there were when it was accepted.
        if !io.fits(&waiting.headers, waiting.payload.len()) {
            return self.refuse(id, Error::TooLarge);
        }
        waiting.again = None;
        waiting.sent += 1;
        if waiting.sent > 1 {
            self.retried += 1;
        }
        let (subject, headers) = (waiting.subject.clone(), waiting.headers.clone());
        let (payload, purpose) = (
            waiting.payload.clone(),
            Purpose::Histories(Ask::Publish(id)),
        );
        io.request(subject, headers, payload, purpose, ACK);
    }

    /// The stream says whether it has a message.
    pub(super) fn acknowledged(
        &mut self,
        now: Instant,
        epoch: Option<Epoch>,
        id: u64,
        packet: &Packet,
    ) -> Fate {
        match serde_json::from_slice::<Ack>(&packet.payload) {
            Ok(ack) if ack.error.is_none() && ack.seq > 0 => self.stored(now, epoch, id, &ack),
            Ok(Ack {
                error: Some(refused),
                ..
            }) if !is_passing(refused.code) => {
                self.refused(id, &refused);
                Fate::Other
            }
            // No leader now, or too much work: it is sent again.
            _ => {
                if let Some(waiting) = self.waiting.get_mut(&id) {
                    waiting.again = Some(now + AGAIN);
                }
                match packet.headers.status() {
                    Some(503) => Fate::Nowhere,
                    _ => Fate::Other,
                }
            }
        }
    }

    fn stored(&mut self, now: Instant, epoch: Option<Epoch>, id: u64, ack: &Ack) -> Fate {
        let Some(waiting) = self.waiting.get_mut(&id) else {
            return Fate::Other;
        };
        // A message that was sent twice may find itself, never below what there was before it.
        if ack.duplicate && (waiting.sent == 1 || ack.seq <= waiting.reach) {
            waiting.known = Some(ack.seq);
            waiting.again = Some(now);
            return Fate::Known;
        }
        let reach = waiting.reach;
        self.published += 1;
        self.receipt(epoch, id, ack.seq, false);
        if ack.duplicate {
            return Fate::Other;
        }
        Fate::Stored {
            offset: ack.seq,
            reach,
        }
    }

    fn receipt(&mut self, epoch: Option<Epoch>, id: u64, offset: u64, duplicate: bool) {
        if let Some(waiting) = self.take(id) {
            let receipt = Receipt {
                id: waiting.id,
                position: epoch.map(|epoch| Position { epoch, offset }),
                duplicate,
            };
            // Whoever published may be gone.
            let _ = waiting.tell.send(Ok(receipt));
        }
    }

    fn refused(&mut self, id: u64, refused: &Refused) {
        tracing::warn!(code = refused.code, why = %refused.description,
            "the stream refuses a message; look at its limits and the disk of NATS");
        let why = match refused.err_code {
            MESSAGE_EXCEEDS_MAXIMUM => Error::TooLarge,
            _ => Error::Unavailable,
        };
        self.refuse(id, why);
    }

    fn refuse(&mut self, id: u64, why: Error) {
        if let Some(waiting) = self.take(id) {
            // Whoever published may be gone.
            let _ = waiting.tell.send(Err(why));
        }
    }

    /// The stream can be reached again.
    pub(super) fn send_again(&mut self, io: &mut Io<'_>, stream: &Stream) {
        for waiting in self.waiting.values_mut() {
            waiting.again = waiting.again.map(|_| io.now);
        }
        self.send_if_due(io, stream);
    }

    /// Sends what is due, and refuses what has waited for too long.
    pub(super) fn send_if_due(&mut self, io: &mut Io<'_>, stream: &Stream) {
        let mut due = Vec::new();
        let mut over = Vec::new();
        for (id, waiting) in &self.waiting {
            if waiting.until <= io.now {
                over.push(*id);
            } else if waiting.again.is_some_and(|at| at <= io.now) {
                due.push(*id);
            }
        }
        for id in over {
            self.refuse(id, Error::Unavailable);
        }
        if io.connected && stream.epoch.is_some() {
            for id in due {
                self.send(io, id);
            }
        }
    }
}

fn headers(stream: &Stream, id: String, limits: &HistoryLimits) -> Fields {
    let mut headers = vec![("Nats-Msg-Id", id)];
    let seconds = limits.max_age.as_secs().max(1);
    if stream.limits.max_age.is_none_or(|age| limits.max_age < age) {
        headers.push(("Nats-TTL", format!("{seconds}s")));
    }
    headers
}

/// The code of JetStream's refusal of a message larger than its stream's `max_msg_size`
/// (`JSStreamMessageExceedsMaximumErr`).
const MESSAGE_EXCEEDS_MAXIMUM: u16 = 10054;

/// What the stream says of a message (`PubAck`).
#[derive(Debug, Deserialize)]
struct Ack {
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    duplicate: bool,
    error: Option<Refused>,
}

#[derive(Debug, Deserialize)]
struct Refused {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    err_code: u16,
    #[serde(default)]
    description: String,
}

/// Whether a refusal may pass by itself: the stream has no leader, or is busy.
fn is_passing(code: u16) -> bool {
    matches!(code, 408 | 429 | 500 | 503)
}
