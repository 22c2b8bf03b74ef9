//! Sessions that outlive their gateway, and go from one to another.
//!
//! A session is stored under `<prefix>.sess.<gateway>.<session>` in a stream that keeps one message
//! of each subject. Whoever takes it over stores it under its own number, and puts an end mark in
//! the place of the old one, under the condition that it is still the one that was read: of two
//! who claim it, one gets it. The sessions of a gateway that died go all at once, later.

mod claims;
mod confirming;
mod elsewhere;
mod giving;
mod moves;
pub(super) mod stored;
mod sweep;
mod watch;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use sluice_backbone::{Error, Record, Reply, Stored};
use sluice_contract::{EndMark, GatewayNumber};
use sluice_rooms::SessionId;
use tokio::sync::oneshot;

use self::{claims::Claims, confirming::Confirming, elsewhere::Elsewhere};
use super::{Completions, Purpose, io::Io};
use crate::Packet;

/// How long the store may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// How long the end mark is kept of a session that its own gateway has ended: a replica of the
/// store may be behind for a while.
const MARK: &str = "60s";

/// Stores on condition that this is the last entry of the subject.
const EXPECTED: &str = "Nats-Expected-Last-Subject-Sequence";

/// Room for the headers with which a session is stored, in bytes.
const STORE_HEADERS: usize = 128;

/// How long after a session could not be stored it is tried again, and how many at a time.
const AGAIN: Duration = Duration::from_millis(500);
const AT_ONCE: usize = 512;

/// What a question is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// To store a session.
    Store(u64),
    /// A step of a claim.
    Claim(u64),
    /// Which gateways have stored sessions.
    Gateways,
    /// Which sessions of this gateway others took over.
    Marks,
    /// What stands in the place of a session that could not be stored over it.
    Check(SessionId),
    /// Which sessions of this gateway others have stored.
    Elsewhere,
    /// To delete all sessions of a gateway.
    Purge(u32),
    /// What the stream says of itself, asked when no greater sequence number was known.
    Info(u64),
}

/// A session on its way into the store.
#[derive(Debug)]
struct Storing {
    session: SessionId,
    payload: Bytes,
    /// No greater sequence number was known when it was sent.
    reach: u64,
    /// Who waits for it; nobody any more when it is tried again.
    tell: Option<oneshot::Sender<Result<(), Error>>>,
}

/// What is known of a session of this gateway.
#[derive(Debug, Default, Clone, Copy)]
struct Own {
    /// The number under which it was stored last.
    number: u64,
    /// The sequence number that its entry had last; 0 where that is not known. Who takes it over
    /// puts another entry there, and nothing is stored over that.
    sequence: u64,
    /// Neither that entry nor another one is there.
    vanished: bool,
}

/// What this gateway has stored, and what it is taking over.
#[derive(Debug)]
pub(crate) struct Sessions {
    /// Where workers leave what they gave up.
    completions: Arc<Completions>,
    last: u64,
    storing: BTreeMap<u64, Storing>,
    own: HashMap<SessionId, Own>,
    /// What could not be stored, by its number.
    unkept: BTreeMap<u64, (SessionId, Bytes)>,
    again: Option<Instant>,
    claims: Claims,
    confirming: Confirming,
    moves: moves::Moves,
    elsewhere: Elsewhere,
    /// Users whose sessions came from other gateways.
    moved: Vec<(Arc<str>, u32)>,
    sweep: sweep::Sweep,
    watch: watch::Watch,
    /// Stored sessions of a newer version that were wanted here and could not be read.
    newer: u64,
}

impl Sessions {
    pub(crate) fn new(completions: Arc<Completions>) -> Self {
        Self {
            completions,
            last: 0,
            storing: BTreeMap::new(),
            own: HashMap::new(),
            unkept: BTreeMap::new(),
            again: None,
            claims: Claims::default(),
            confirming: Confirming::default(),
            moves: moves::Moves::default(),
            elsewhere: Elsewhere::default(),
            moved: Vec::new(),
            sweep: sweep::Sweep::default(),
            watch: watch::Watch::default(),
            newer: 0,
        }
    }

    /// Stores a session of this gateway. What cannot be stored now is stored as soon as it can.
    pub(crate) fn store(&mut self, io: &mut Io<'_>, session: &Stored) -> Reply<()> {
        let (session, payload) = (session.session, stored::encode(session));
        if !io.fits(&Vec::new(), payload.len() + STORE_HEADERS) {
            return Reply::Now(Err(Error::TooLarge));
        }
        let id = self.number(session);
        if !io.connected {
            self.unkept.insert(id, (session, payload));
            return Reply::Now(Err(Error::Unavailable));
        }
        self.register(io);
        let (tell, told) = oneshot::channel();
        let tell = Some(tell);
        let storing = Storing {
            session,
            payload,
            reach: self.watch.reach(),
            tell,
        };
        self.send(io, id, storing);
        Reply::told(told)
    }

    /// Counts what is stored of a session; what was stored of it before matters no more.
    fn number(&mut self, session: SessionId) -> u64 {
        self.last += 1;
        let own = self.own.entry(session).or_default();
        self.unkept.remove(&own.number);
        own.number = self.last;
        self.last
    }

    fn send(&mut self, io: &mut Io<'_>, id: u64, storing: Storing) {
        let subject = subject(io, io.gateway, storing.session);
        let (payload, purpose) = (storing.payload.clone(), Purpose::Sessions(Ask::Store(id)));
        let sequence = self.own.get(&storing.session).map_or(0, |own| own.sequence);
        let mut headers = Vec::new();
        if sequence > 0 {
            headers.push((EXPECTED, sequence.to_string()));
        }
        self.storing.insert(id, storing);
        io.request(subject, headers, payload, purpose, ANSWER);
    }

    /// A session of this gateway has ended.
    pub(crate) fn forget(&mut self, io: &mut Io<'_>, session: SessionId) {
        if let Some(own) = self.own.remove(&session) {
            self.unkept.remove(&own.number);
            let subject = subject(io, io.gateway, session);
            let mark = EndMark::default().encode();
            io.publish(subject, vec![("Nats-TTL", MARK.to_owned())], mark);
        }
    }

    fn stored(&mut self, io: &mut Io<'_>, id: u64, packet: Option<&Packet>) {
        let Some(storing) = self.storing.remove(&id) else {
            return;
        };
        let Storing {
            session,
            payload,
            reach,
            tell,
        } = storing;
        let sequence = packet.and_then(stored::sequence);
        if let Some(sequence) = sequence {
            self.watch.took(io.now, sequence, reach);
        }
        let kept = sequence.is_some();
        self.note_stored(session, sequence.unwrap_or(0));
        let newest = self.own.get(&session).is_some_and(|own| own.number == id);
        if !kept && newest {
            self.unkept.insert(id, (session, payload));
            if packet.is_some_and(stored::is_unexpected) {
                Self::check(io, session);
            }
        }
        if let Some(tell) = tell {
            // Whoever stored it may be gone.
            let _ = tell.send(kept.then_some(()).ok_or(Error::Unavailable));
        }
    }

    /// Notes under which sequence number a session was stored.
    fn note_stored(&mut self, session: SessionId, sequence: u64) {
        self.moves.stored(sequence);
        if let Some(own) = self.own.get_mut(&session) {
            own.sequence = own.sequence.max(sequence);
        }
    }

    /// Stores what could not be stored before.
    fn store_again(&mut self, io: &mut Io<'_>) {
        if !io.connected || self.again.is_some_and(|at| at > io.now) {
            return;
        }
        self.again = Some(io.now + AGAIN);
        for _ in 0..AT_ONCE {
            let Some((id, (session, payload))) = self.unkept.pop_first() else {
                return;
            };
            self.register(io);
            let tell = None;
            let storing = Storing {
                session,
                payload,
                reach: self.watch.reach(),
                tell,
            };
            self.send(io, id, storing);
        }
    }

    pub(crate) fn answer(&mut self, io: &mut Io<'_>, request: u64, ask: &Ask, packet: &Packet) {
        match ask {
            Ask::Store(id) => {
                io.requests.close(request);
                self.stored(io, *id, Some(packet));
            }
            Ask::Claim(id) => self.claim_answered(io, request, *id, packet),
            Ask::Marks => self.marks_came(io, request, packet),
            Ask::Check(session) => {
                io.requests.close(request);
                self.checked(io, *session, packet);
            }
            Ask::Elsewhere => self.elsewhere_came(io, request, packet),
            Ask::Gateways => self.sweep.listed(io, request, packet),
            Ask::Purge(gateway) => {
                io.requests.close(request);
                self.sweep.purged(*gateway, packet);
            }
            Ask::Info(reach) => {
                io.requests.close(request);
                self.informed(io, *reach, packet);
            }
        }
    }

    pub(crate) fn unanswered(&mut self, io: &mut Io<'_>, ask: &Ask) {
        match ask {
            Ask::Store(id) => self.stored(io, *id, None),
            Ask::Claim(id) => self.claim_unanswered(io, *id),
            Ask::Marks => self.marks_unread(io),
            Ask::Check(session) => self.unchecked(io, *session),
            Ask::Elsewhere => self.elsewhere_later(io),
            Ask::Gateways | Ask::Purge(_) | Ask::Info(_) => {}
        }
    }

    /// Takes the users whose sessions came from other gateways since the last time.
    pub(crate) fn take_moved(&mut self) -> Vec<(Arc<str>, u32)> {
        std::mem::take(&mut self.moved)
    }

    /// How many sessions are on their way into the store.
    pub(crate) fn storing(&self) -> usize {
        self.storing.len() + self.unkept.len()
    }

    /// How many sessions are being taken over, or may have been.
    pub(crate) fn claiming(&self) -> usize {
        self.claims.len() + self.confirming.len()
    }

    /// How many stored sessions could not be taken over, because a newer version wrote them.
    pub(crate) fn newer(&self) -> u64 {
        self.newer
    }

    /// How many sessions of this gateway are stored.
    pub(crate) fn len(&self) -> usize {
        self.own.len()
    }
}

fn subject(io: &Io<'_>, gateway: u32, session: SessionId) -> String {
    io.names.session(GatewayNumber(gateway), session)
}

fn refuse(
    tell: oneshot::Sender<Result<Option<Record>, Error>>,
    why: Result<Option<Record>, Error>,
) {
    // Whoever claimed may be gone.
    let _ = tell.send(why);
}
