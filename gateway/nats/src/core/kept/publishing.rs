//! Storing messages, until the stream says that it has them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde::Deserialize;
use sluice_backbone::{Error, Publication, Receipt, Reply};
use sluice_rooms::{Epoch, HistoryLimits, Message, Position};
use tokio::sync::oneshot;

use super::{Ask, Io, Kept, later};
use crate::{
    Packet,
    core::{Purpose, io::Fields},
    envelope,
    names::{self, Place, token},
};

/// How long a message may wait to be stored before its publisher is refused.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How long an acknowledgement may take before the message is sent again, under the same id.
const ACK: Duration = Duration::from_secs(1);

/// How long after a refusal it is sent again.
const AGAIN: Duration = Duration::from_millis(200);

/// The most messages, and bytes of them, that wait at once.
const WAITING: usize = 65_536;
const WAITING_BYTES: usize = 64 << 20;

/// The most rooms whose rate is remembered within a second.
const RATED: usize = 262_144;

/// A message that is not known to be stored.
#[derive(Debug)]
struct Waiting {
    subject: String,
    headers: Fields,
    payload: Bytes,
    id: Box<str>,
    tell: oneshot::Sender<Result<Receipt, Error>>,
    until: Instant,
    /// When it is sent again; none while an answer is awaited.
    again: Option<Instant>,
    sent: u32,
}

/// Messages on their way into the stream, in the order in which they were taken.
#[derive(Debug, Default)]
pub(super) struct Publishing {
    last: u64,
    waiting: BTreeMap<u64, Waiting>,
    bytes: usize,
    /// How many messages of a room came in which second.
    rates: HashMap<Place, (u64, u32)>,
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
}

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
    description: String,
}

impl Kept {
    /// Stores a message. It is delivered once the stream passes it on.
    pub(crate) fn publish(
        &mut self,
        io: &mut Io<'_>,
        publication: Publication,
        limits: &HistoryLimits,
    ) -> Reply<Receipt> {
        let place = names::place(&publication.room);
        let size = publication.data.len();
        if self.publishing.len() >= WAITING || self.publishing.bytes + size > WAITING_BYTES {
            return Reply::Now(Err(Error::Overloaded));
        }
        let per_second = publication.settings.messages_per_second;
        if !self.publishing.admit(io, &place, per_second) {
            return Reply::Now(Err(Error::RoomRate));
        }
        let message = message(io, publication);
        let payload = envelope::encode(&message, io.gateway);
        let (tell, told) = oneshot::channel();
        self.publishing.last += 1;
        let id = self.publishing.last;
        self.publishing.bytes += payload.len();
        let waiting = Waiting {
            subject: io.names.subject("in", &place),
            headers: self.headers(&place, &message.id, limits),
            payload,
            id: message.id,
            tell,
            until: io.now + PATIENCE,
            again: Some(io.now),
            sent: 0,
        };
        self.publishing.waiting.insert(id, waiting);
        if io.connected && self.epoch.is_some() {
            self.send(io, id);
        }
        later(told)
    }

    fn headers(&self, place: &Place, id: &str, limits: &HistoryLimits) -> Fields {
        let mut headers = vec![("Nats-Msg-Id", format!("{place}.{}", token(id)))];
        let seconds = limits.max_age.as_secs().max(1);
        if self.stream.max_age.is_none_or(|age| limits.max_age < age) {
            headers.push(("Nats-TTL", format!("{seconds}s")));
        }
        headers
    }

    fn send(&mut self, io: &mut Io<'_>, id: u64) {
        let Some(waiting) = self.publishing.waiting.get_mut(&id) else {
            return;
        };
        waiting.again = None;
        waiting.sent += 1;
        if waiting.sent > 1 {
            self.counters.retried += 1;
        }
        let (subject, headers) = (waiting.subject.clone(), waiting.headers.clone());
        let (payload, purpose) = (waiting.payload.clone(), Purpose::Kept(Ask::Publish(id)));
        io.request(subject, headers, payload, purpose, ACK);
    }

    pub(super) fn acknowledged(&mut self, io: &mut Io<'_>, request: u64, id: u64, packet: &Packet) {
        io.requests.close(request);
        match serde_json::from_slice::<Ack>(&packet.payload) {
            Ok(ack) if ack.error.is_none() && ack.seq > 0 => self.stored(id, &ack),
            Ok(Ack {
                error: Some(refused),
                ..
            }) if !is_passing(refused.code) => self.refused(id, &refused),
            // No leader now, or too much work: it is sent again.
            _ => {
                if let Some(waiting) = self.publishing.waiting.get_mut(&id) {
                    waiting.again = Some(io.now + AGAIN);
                }
            }
        }
    }

    fn stored(&mut self, id: u64, ack: &Ack) {
        let Some(waiting) = self.publishing.take(id) else {
            return;
        };
        // A message that was sent twice finds itself.
        let duplicate = ack.duplicate && waiting.sent == 1;
        self.counters.published += u64::from(!duplicate);
        let epoch = self.epoch;
        let offset = ack.seq;
        let receipt = Receipt {
            id: waiting.id,
            position: epoch.map(|epoch: Epoch| Position { epoch, offset }),
            duplicate,
        };
        // Whoever published may be gone.
        let _ = waiting.tell.send(Ok(receipt));
    }

    fn refused(&mut self, id: u64, refused: &Refused) {
        tracing::warn!(code = refused.code, why = %refused.description,
            "the stream refuses a message; look at its limits and the disk of NATS");
        if let Some(waiting) = self.publishing.take(id) {
            let _ = waiting.tell.send(Err(Error::Unavailable));
        }
    }

    /// The stream can be reached again.
    pub(super) fn publish_again(&mut self, io: &mut Io<'_>) {
        for waiting in self.publishing.waiting.values_mut() {
            waiting.again = waiting.again.map(|_| io.now);
        }
        self.publish_if_due(io);
    }

    pub(super) fn publish_if_due(&mut self, io: &mut Io<'_>) {
        let mut due = Vec::new();
        let mut over = Vec::new();
        for (id, waiting) in &self.publishing.waiting {
            if waiting.until <= io.now {
                over.push(*id);
            } else if waiting.again.is_some_and(|at| at <= io.now) {
                due.push(*id);
            }
        }
        for id in over {
            if let Some(waiting) = self.publishing.take(id) {
                let _ = waiting.tell.send(Err(Error::Unavailable));
            }
        }
        if io.connected && self.epoch.is_some() {
            for id in due {
                self.send(io, id);
            }
        }
    }

    /// How many messages wait to be stored.
    pub(crate) fn unstored(&self) -> usize {
        self.publishing.len()
    }
}

/// Whether a refusal may pass by itself: the stream has no leader, or is busy.
fn is_passing(code: u16) -> bool {
    matches!(code, 408 | 429 | 500 | 503)
}

/// The message that is published.
pub(crate) fn message(io: &mut Io<'_>, publication: Publication) -> Message {
    let (time, now) = (io.time, io.now);
    publication.accepted(|| io.random_id(), time, now)
}
