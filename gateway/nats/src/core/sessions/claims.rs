//! Taking over a session: from another worker, from another gateway, or from one that died.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sluice_backbone::{Claim, Delivery, Error, Gather, Record, Reply};
use sluice_rooms::{Pid, Reading, RoomKey, SessionId};
use tokio::sync::oneshot;

use super::{
    ANSWER, Ask, EXPECTED, Io, MARK, Sessions, refuse,
    stored::{self, Found, Last},
    subject,
};
use crate::{
    Packet,
    core::{Completions, Done, Purpose, kept::later},
};

/// How long a claim may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the gateway that has the session may take to give it up; one that takes longer counts
/// as dead.
const OWNER: Duration = Duration::from_secs(1);

/// How often a session that is nowhere is looked for again, and after how long: a replica of the
/// store may be behind.
const LOOKS: u32 = 3;
const AGAIN: Duration = Duration::from_millis(100);

/// How far a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The other workers here are asked.
    Here,
    /// The store is asked who has the session.
    Find,
    /// That gateway is asked.
    Owner,
    /// It does not answer, so the leader of the store is asked for what was kept.
    Read,
    /// It is stored under this gateway's number.
    Store,
    /// The old one is replaced by an end mark.
    Mark,
}

#[derive(Debug)]
struct Claiming {
    worker: usize,
    claim: Claim,
    step: Step,
    /// The newest one that is stored, and who has stored it.
    found: Option<(u64, u32)>,
    looks: u32,
    /// When it is looked for again.
    again: Option<Instant>,
    owner: u32,
    /// The question to it, while it is open.
    asked: u64,
    /// The number under which the old one is stored.
    sequence: u64,
    record: Option<Record>,
    tell: oneshot::Sender<Result<Option<Record>, Error>>,
    until: Instant,
}

/// All claims under way.
#[derive(Debug, Default)]
pub(super) struct Claims {
    last: u64,
    /// Gateways that have said goodbye.
    left: BTreeSet<u32>,
    open: BTreeMap<u64, Claiming>,
}

impl Claims {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}

/// A claim on its way to the gateway that has the session.
#[derive(Serialize, Deserialize)]
struct Wire {
    pid: String,
    user: Arc<str>,
    namespace: Arc<str>,
    read: Option<String>,
}

/// Its answer.
#[derive(Debug, Serialize, Deserialize)]
struct Given {
    rooms: Vec<(String, u64)>,
}

impl Sessions {
    /// Takes over a session.
    pub(crate) fn claim(
        &mut self,
        io: &mut Io<'_>,
        completions: &Arc<Completions>,
        worker: usize,
        claim: Claim,
    ) -> Reply<Option<Record>> {
        let (tell, told) = oneshot::channel();
        self.claims.last += 1;
        let id = self.claims.last;
        let claiming = Claiming {
            worker,
            claim,
            step: Step::Here,
            found: None,
            looks: 0,
            again: None,
            owner: 0,
            asked: 0,
            sequence: 0,
            record: None,
            tell,
            until: io.now + PATIENCE,
        };
        self.claims.open.insert(id, claiming);
        self.ask_here(io, completions, id);
        later(told)
    }

    fn ask_here(&mut self, io: &mut Io<'_>, completions: &Arc<Completions>, id: u64) {
        let Some(claiming) = self.claims.open.get(&id) else {
            return;
        };
        if io.sink.workers() < 2 {
            return self.find(io, id);
        }
        let completions = Arc::clone(completions);
        let gather = Gather::then(move |mut records: Vec<Record>| {
            let record = records.pop();
            completions.add(Done::ClaimedHere { id, record });
        });
        for other in (0..io.sink.workers()).filter(|other| *other != claiming.worker) {
            let delivery = Delivery::Claim(claiming.claim.clone(), gather.clone());
            io.sink.deliver(other, delivery);
        }
    }

    /// The other workers here have answered.
    pub(crate) fn claimed_here(&mut self, io: &mut Io<'_>, id: u64, record: Option<Record>) {
        if record.is_some() {
            self.finish(io, id, Ok(record));
        } else {
            self.find(io, id);
        }
    }

    fn find(&mut self, io: &mut Io<'_>, id: u64) {
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        if !io.connected {
            return self.finish(io, id, Err(Error::Unavailable));
        }
        claiming.step = Step::Find;
        claiming.found = None;
        claiming.looks += 1;
        let session = claiming.claim.pid.session();
        // Of all who ever had it; those that it has left have put an end mark.
        let any = io.names.subject("sess", &format!("*.{session}"));
        let to = format!("$JS.API.DIRECT.GET.{}", io.names.sessions());
        ask(io, to, json!({"multi_last": [any]}).to_string(), id, ANSWER);
    }

    pub(super) fn claim_answered(
        &mut self,
        io: &mut Io<'_>,
        request: u64,
        id: u64,
        packet: &Packet,
    ) {
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return io.requests.close(request);
        };
        if claiming.step == Step::Find && packet.headers.status().is_none() {
            return claiming.see(io, packet);
        }
        io.requests.close(request);
        match claiming.step {
            Step::Here => {}
            Step::Find => self.found(io, id, packet),
            Step::Owner => self.owner_answered(io, id, packet),
            Step::Read => self.read(io, id, packet),
            Step::Store => self.own_stored(io, id, packet),
            Step::Mark => self.marked(io, id, packet),
        }
    }

    /// All that is stored of the session was seen.
    fn found(&mut self, io: &mut Io<'_>, id: u64, packet: &Packet) {
        if !matches!(packet.headers.status(), Some(204 | 404)) {
            return self.finish(io, id, Err(Error::Unavailable));
        }
        let found = self.claims.open.get(&id).and_then(|open| open.found);
        match found.filter(|(_, owner)| *owner != io.gateway) {
            Some((_, owner)) => self.ask_owner(io, id, owner),
            None => self.look_again(io, id),
        }
    }

    /// The session is not where it was looked for.
    fn look_again(&mut self, io: &mut Io<'_>, id: u64) {
        match self.claims.open.get_mut(&id) {
            Some(open) if open.looks < LOOKS => {
                (open.step, open.again) = (Step::Find, Some(io.now + AGAIN));
            }
            _ => self.finish(io, id, Ok(None)),
        }
    }

    fn ask_owner(&mut self, io: &mut Io<'_>, id: u64, owner: u32) {
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        claiming.owner = owner;
        if self.claims.left.contains(&owner) {
            return self.read_kept(io, id);
        }
        claiming.step = Step::Owner;
        let to = io.names.subject("gw", &format!("{owner:08x}.claim"));
        let wire = Wire {
            pid: claiming.claim.pid.reveal(),
            user: Arc::clone(&claiming.claim.user),
            namespace: Arc::clone(&claiming.claim.namespace),
            read: claiming.claim.read.as_ref().map(Reading::to_string),
        };
        let body = serde_json::to_string(&wire).unwrap_or_default();
        claiming.asked = ask(io, to, body, id, OWNER);
    }

    /// A gateway has said goodbye. It gives nothing up any more, and all that it had is stored: who
    /// waits for its answer would do so for [`OWNER`].
    pub(crate) fn left(&mut self, io: &mut Io<'_>, gateway: u32) {
        self.claims.left.insert(gateway);
        let open = self.claims.open.iter();
        let waits = open.filter(|(_, it)| it.step == Step::Owner && it.owner == gateway);
        let waiting: Vec<_> = waits.map(|(id, it)| (*id, it.asked)).collect();
        for (id, asked) in waiting {
            io.requests.close(asked);
            self.read_kept(io, id);
        }
    }

    /// A gateway that may have said goodbye is gone: nothing of it is on its way any more.
    pub(crate) fn gone(&mut self, gateway: u32) {
        self.claims.left.remove(&gateway);
    }

    fn owner_answered(&mut self, io: &mut Io<'_>, id: u64, packet: &Packet) {
        if packet.headers.status().is_some() {
            // Nobody listens there any more.
            return self.read_kept(io, id);
        }
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        match serde_json::from_slice::<Option<Given>>(&packet.payload) {
            Ok(Some(given)) => {
                let namespace = &claiming.claim.namespace;
                let rooms = given.rooms.into_iter();
                claiming.record = Some(Record {
                    rooms: rooms
                        .map(|(name, from)| (RoomKey::new(Arc::clone(namespace), name), from))
                        .collect(),
                    present: false,
                });
                self.store_own(io, id);
            }
            _ => self.look_again(io, id),
        }
    }

    fn read_kept(&mut self, io: &mut Io<'_>, id: u64) {
        if let Some(claiming) = self.claims.open.get_mut(&id) {
            claiming.step = Step::Read;
            let old = subject(io, claiming.owner, claiming.claim.pid.session());
            let to = format!("$JS.API.STREAM.MSG.GET.{}", io.names.sessions());
            ask(io, to, json!({"last_by_subj": old}).to_string(), id, ANSWER);
        }
    }

    fn read(&mut self, io: &mut Io<'_>, id: u64, packet: &Packet) {
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        let claim = &claiming.claim;
        let own =
            |found: &Found| *found.user == *claim.user && *found.namespace == *claim.namespace;
        match stored::last(packet) {
            Last::Session(sequence, found) if own(&found) => {
                claiming.sequence = sequence;
                claiming.record = Some(found.record(claim.read.as_ref()));
                self.store_own(io, id);
            }
            Last::Session(..) => self.finish(io, id, Ok(None)),
            Last::Ended | Last::Nothing => self.look_again(io, id),
            Last::Unavailable => self.finish(io, id, Err(Error::Unavailable)),
        }
    }

    fn store_own(&mut self, io: &mut Io<'_>, id: u64) {
        self.register(io);
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        claiming.step = Step::Store;
        let (session, payload) = claiming.own();
        self.number(session);
        let to = subject(io, io.gateway, session);
        let purpose = Purpose::Sessions(Ask::Claim(id));
        io.request(to, Vec::new(), payload, purpose, ANSWER);
    }

    fn own_stored(&mut self, io: &mut Io<'_>, id: u64, packet: &Packet) {
        let Some(sequence) = stored::sequence(packet) else {
            return self.own_unstored(io, id);
        };
        let open = self.claims.open.get(&id);
        if let Some(session) = open.map(|open| open.claim.pid.session()) {
            self.note_stored(session, sequence);
        }
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        if claiming.sequence == 0 {
            // Its last gateway lives and has put the mark itself.
            return self.finish_found(io, id);
        }
        claiming.step = Step::Mark;
        let old = subject(io, claiming.owner, claiming.claim.pid.session());
        let expected = claiming.sequence.to_string();
        let headers = vec![(EXPECTED, expected), ("Nats-TTL", MARK.to_owned())];
        let purpose = Purpose::Sessions(Ask::Claim(id));
        io.request(old, headers, stored::MARK, purpose, ANSWER);
    }

    /// A session that its last gateway has given up is nobody else's, and is stored later. One of
    /// a gateway that died is still there for others.
    fn own_unstored(&mut self, io: &mut Io<'_>, id: u64) {
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        let (given_up, (session, payload)) = (claiming.sequence == 0, claiming.own());
        if given_up {
            let number = self.number(session);
            self.unkept.insert(number, (session, payload));
            self.finish_found(io, id);
        } else {
            self.forget(io, session);
            self.finish(io, id, Err(Error::Unavailable));
        }
    }

    fn marked(&mut self, io: &mut Io<'_>, id: u64, packet: &Packet) {
        if stored::sequence(packet).is_some() {
            return self.finish_found(io, id);
        }
        // Somebody else has it.
        if let Some(claiming) = self.claims.open.get(&id) {
            let session = claiming.claim.pid.session();
            self.forget(io, session);
        }
        self.finish(io, id, Ok(None));
    }

    fn finish_found(&mut self, io: &mut Io<'_>, id: u64) {
        let claiming = self.claims.open.get_mut(&id);
        if let Some(claiming) = claiming {
            let record = claiming.record.take();
            let (user, owner) = (Arc::clone(&claiming.claim.user), claiming.owner);
            self.moved.push((user, owner));
            self.finish(io, id, Ok(record));
        }
    }

    fn finish(&mut self, _io: &mut Io<'_>, id: u64, result: Result<Option<Record>, Error>) {
        if let Some(claiming) = self.claims.open.remove(&id) {
            refuse(claiming.tell, result);
        }
    }

    pub(super) fn claim_unanswered(&mut self, io: &mut Io<'_>, id: u64) {
        let step = self.claims.open.get(&id).map(|claiming| claiming.step);
        match step {
            Some(Step::Owner) if io.connected => self.read_kept(io, id),
            Some(Step::Store) => self.own_unstored(io, id),
            Some(_) => self.finish(io, id, Err(Error::Unavailable)),
            None => {}
        }
    }

    pub(super) fn pursue_claims(&mut self, io: &mut Io<'_>) {
        let over = |claiming: &Claiming| claiming.until <= io.now;
        let ids: Vec<_> = self
            .claims
            .open
            .iter()
            .filter(|(_, claiming)| over(claiming))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.finish(io, id, Err(Error::Unavailable));
        }
        let mut due = Vec::new();
        for (id, open) in &mut self.claims.open {
            if open.again.is_some_and(|at| at <= io.now) {
                open.again = None;
                due.push(*id);
            }
        }
        for id in due {
            self.find(io, id);
        }
    }
}

impl Claiming {
    /// The session as it is stored under this gateway's number.
    fn own(&self) -> (SessionId, Bytes) {
        let session = self.claim.pid.session();
        let rooms = self.record.as_ref().map(|record| record.rooms.clone());
        let stored = sluice_backbone::Stored {
            session,
            user: Arc::clone(&self.claim.user),
            namespace: Arc::clone(&self.claim.namespace),
            rooms: rooms.unwrap_or_default(),
            came: self.claim.read.clone(),
        };
        (session, stored::encode(&stored))
    }

    /// One that is stored, or was.
    fn see(&mut self, io: &Io<'_>, packet: &Packet) {
        let subject = packet.headers.get("Nats-Subject");
        let owner = subject.and_then(|subject| owner(io, subject));
        let sequence = packet.headers.number("Nats-Sequence");
        if let (Some(owner), Some(sequence)) = (owner, sequence)
            && stored::decode(&packet.payload).is_some()
        {
            self.found = self.found.max(Some((sequence, owner)));
        }
    }
}

/// The other side: a session of this gateway is claimed.
impl Sessions {
    pub(crate) fn claimed(io: &Io<'_>, completions: &Arc<Completions>, packet: &Packet) {
        let (Some(claim), Some(reply)) = (read_claim(&packet.payload), packet.reply.clone()) else {
            return;
        };
        let session = claim.pid.session();
        let user = Arc::clone(&claim.user);
        let completions = Arc::clone(completions);
        let gather = Gather::then(move |mut records: Vec<Record>| {
            let record = records.pop();
            completions.add(Done::Claimed {
                reply,
                session,
                user,
                record,
            });
        });
        for worker in 0..io.sink.workers() {
            let delivery = Delivery::Claim(claim.clone(), gather.clone());
            io.sink.deliver(worker, delivery);
        }
    }

    /// The workers have given it up, or have no such session.
    pub(crate) fn give(
        &mut self,
        io: &mut Io<'_>,
        reply: Bytes,
        session: SessionId,
        record: Option<&Record>,
    ) {
        let given = record.map(|record| Given {
            rooms: record
                .rooms
                .iter()
                .map(|(key, from)| (key.name.to_string(), *from))
                .collect(),
        });
        if record.is_some() {
            self.forget(io, session);
        }
        io.reply(reply, serde_json::to_vec(&given).unwrap_or_default());
    }
}

fn ask(io: &mut Io<'_>, subject: String, body: String, id: u64, within: Duration) -> u64 {
    let purpose = Purpose::Sessions(Ask::Claim(id));
    io.request(subject, Vec::new(), body, purpose, within)
}

fn read_claim(payload: &[u8]) -> Option<Claim> {
    let wire: Wire = serde_json::from_slice(payload).ok()?;
    Some(Claim {
        pid: Pid::parse(&wire.pid)?,
        user: wire.user,
        namespace: wire.namespace,
        read: wire.read.as_deref().and_then(Reading::parse),
    })
}

/// Whose session is stored under a subject.
fn owner(io: &Io<'_>, subject: &str) -> Option<u32> {
    let (_, rest) = io.names.split(subject)?;
    u32::from_str_radix(rest.split_once('.')?.0, 16).ok()
}
