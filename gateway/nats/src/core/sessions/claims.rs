//! Taking over a session: from another worker, from another gateway, or from one that died.
//!
//! A question that stays without an answer, or is answered by servers that elect a leader, is
//! asked again for as long as a client may wait: what it asks for is safe in the store.

mod owner;
mod taking;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use rand::RngExt as _;
use serde_json::json;
use sluice_backbone::{BackboneEvent, Claim, Error, Gather, Record, Reply};
use sluice_contract::{GatewayNumber, Subject};
use sluice_rooms::SessionId;
use sluice_util::Retries;
use tokio::sync::oneshot;

use super::{
    ANSWER, Ask, Io, Sessions, refuse,
    stored::{self, Entry},
};
use crate::{
    BACKOFF, Packet,
    core::{Done, Purpose, RECOVERY},
};

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
    /// The gateway that the session is stored under is asked.
    Owner,
    /// The owner does not answer, so the leader of the store is asked for what was kept.
    Read,
    /// The session is stored under this gateway's number.
    Store,
    /// What was stored under the owner's number is replaced by an end mark.
    Mark,
    /// What was stored there is gone already: the leader is asked whose mark is there.
    Marked,
}

/// Where whoever claims is told.
type Tell = oneshot::Sender<Result<Option<Record>, Error>>;

#[derive(Debug)]
struct Claiming {
    worker: usize,
    claim: Claim,
    step: Step,
    /// The newest one that is stored, and who has stored it.
    found: Option<(u64, u32)>,
    looks: u32,
    /// How long it waits before it asks again what was not answered.
    retries: Retries,
    /// When it goes on; none while an answer is awaited.
    again: Option<Instant>,
    owner: u32,
    /// The question to it, while it is open.
    asked: u64,
    /// The number under which the old one is stored.
    sequence: u64,
    record: Option<Record>,
    tell: Tell,
    until: Instant,
}

/// All claims under way.
#[derive(Debug, Default)]
pub(super) struct Claims {
    last: u64,
    /// Gateways that have said goodbye.
    left: BTreeSet<u32>,
    open: BTreeMap<u64, Claiming>,
    /// The claim of each session.
    of: BTreeMap<SessionId, u64>,
}

impl Claims {
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}

impl Sessions {
    /// Takes over a session. Of two claims of one client the later one gets it: nobody waits for
    /// the other any more.
    pub(crate) fn claim(
        &mut self,
        io: &mut Io<'_>,
        worker: usize,
        claim: Claim,
    ) -> Reply<Option<Record>> {
        let (tell, told) = oneshot::channel();
        let Some(tell) = self.supersede(io, worker, &claim, tell) else {
            return Reply::told(told);
        };
        self.claims.last += 1;
        let (id, session) = (self.claims.last, claim.pid.session());
        let claiming = Claiming {
            worker,
            claim,
            step: Step::Here,
            found: None,
            looks: 0,
            retries: Retries::new(BACKOFF),
            again: None,
            owner: 0,
            asked: 0,
            sequence: 0,
            record: None,
            tell,
            until: io.now + RECOVERY,
        };
        self.claims.open.insert(id, claiming);
        self.claims.of.insert(session, id);
        self.confirm_claim(io, id, session);
        Reply::told(told)
    }

    /// Has the same client's earlier claim, if there is one, be this one; else gives back `tell`.
    fn supersede(&mut self, io: &Io<'_>, worker: usize, claim: &Claim, tell: Tell) -> Option<Tell> {
        let earlier = self.claims.of.get(&claim.pid.session());
        let earlier = earlier.and_then(|id| self.claims.open.get_mut(id));
        let same = |open: &&mut Claiming| {
            open.claim.pid == claim.pid
                && open.claim.user == claim.user
                && open.claim.namespace == claim.namespace
        };
        let Some(open) = earlier.filter(same) else {
            return Some(tell);
        };
        (open.worker, open.until) = (worker, io.now + RECOVERY);
        refuse(std::mem::replace(&mut open.tell, tell), Ok(None));
        None
    }

    pub(super) fn ask_here(&mut self, io: &mut Io<'_>, id: u64) {
        let Some(claiming) = self.claims.open.get(&id) else {
            return;
        };
        if io.workers.count() < 2 {
            return self.find(io, id);
        }
        let completions = Arc::clone(&self.completions);
        let gather = Gather::then(move |mut records: Vec<Record>| {
            let record = records.pop();
            completions.add(Done::ClaimedHere { id, record });
        });
        for other in (0..io.workers.count()).filter(|other| *other != claiming.worker) {
            let event = BackboneEvent::Claim(claiming.claim.clone(), gather.clone());
            io.workers.deliver(other, event);
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
        (claiming.step, claiming.found) = (Step::Find, None);
        if !io.connected {
            return self.try_again(io, id);
        }
        let session = claiming.claim.pid.session();
        // Of all who ever had it; those that it has left have put an end mark.
        let any = io.names.session_anywhere(session);
        let to = format!("$JS.API.DIRECT.GET.{}", io.names.sessions_stream());
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
            Step::Marked => self.mark_read(io, id, packet),
        }
    }

    /// All that is stored of the session was seen.
    fn found(&mut self, io: &mut Io<'_>, id: u64, packet: &Packet) {
        if !matches!(packet.headers.status(), Some(204 | 404)) {
            return self.try_again(io, id);
        }
        let found = self.claims.open.get(&id).and_then(|open| open.found);
        match found.filter(|(_, owner)| *owner != io.gateway) {
            Some((_, owner)) => self.ask_owner(io, id, owner),
            None => self.look_again(io, id),
        }
    }

    /// The session is not where it was looked for.
    fn look_again(&mut self, io: &mut Io<'_>, id: u64) {
        let Some(open) = self.claims.open.get_mut(&id) else {
            return;
        };
        open.looks += 1;
        if open.looks < LOOKS {
            (open.step, open.again) = (Step::Find, Some(io.now + AGAIN));
        } else {
            self.finish(io, id, Ok(None));
        }
    }

    /// Nobody could answer. The same is asked again, a while later.
    fn try_again(&mut self, io: &mut Io<'_>, id: u64) {
        if let Some(open) = self.claims.open.get_mut(&id) {
            open.again = Some(io.now + open.retries.delay(io.rng.random()));
            open.retries.failed();
        }
    }

    fn go_on(&mut self, io: &mut Io<'_>, id: u64) {
        match self.claims.open.get(&id).map(|open| open.step) {
            _ if !io.connected => self.try_again(io, id),
            Some(Step::Find | Step::Owner) => self.find(io, id),
            Some(Step::Read) => self.read_kept(io, id),
            Some(Step::Store) => self.store_own(io, id),
            Some(Step::Mark) => self.mark_old(io, id),
            Some(Step::Marked) => self.read_mark(io, id),
            Some(Step::Here) | None => {}
        }
    }

    /// Tells whoever claims what came of it, through the worker's inbox: whoever claims the session
    /// from now on asks that worker behind it, and so once the session is there.
    pub(super) fn finish(&mut self, io: &Io<'_>, id: u64, result: Result<Option<Record>, Error>) {
        if let Some(claiming) = self.claims.open.remove(&id) {
            let session = claiming.claim.pid.session();
            if self.claims.of.get(&session) == Some(&id) {
                self.claims.of.remove(&session);
            }
            io.answer(claiming.worker, claiming.tell, result);
        }
    }

    pub(super) fn claim_unanswered(&mut self, io: &mut Io<'_>, id: u64) {
        let step = self.claims.open.get(&id).map(|claiming| claiming.step);
        match step {
            Some(Step::Owner) if io.connected => self.read_kept(io, id),
            Some(Step::Store) => self.own_unstored(io, id),
            Some(_) => self.try_again(io, id),
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
            self.run_out(io, id);
        }
        let mut due = Vec::new();
        for (id, open) in &mut self.claims.open {
            if open.again.is_some_and(|at| at <= io.now) {
                open.again = None;
                due.push(*id);
            }
        }
        for id in due {
            self.go_on(io, id);
        }
    }
}

impl Claiming {
    /// One that is stored, or was.
    fn see(&mut self, io: &Io<'_>, packet: &Packet) {
        let subject = packet.headers.get("Nats-Subject");
        let owner = subject.and_then(|subject| owner(io, subject));
        let sequence = packet.headers.number("Nats-Sequence");
        if let (Some(owner), Some(sequence)) = (owner, sequence)
            && !matches!(stored::decode(&packet.payload), Entry::Ended)
        {
            self.found = self.found.max(Some((sequence, owner)));
        }
    }
}

fn ask(io: &mut Io<'_>, subject: String, body: String, id: u64, within: Duration) -> u64 {
    let purpose = Purpose::Sessions(Ask::Claim(id));
    io.request(subject, Vec::new(), body, purpose, within)
}

/// Whose session is stored under a subject.
fn owner(io: &Io<'_>, subject: &str) -> Option<u32> {
    match io.names.parse(subject)? {
        Subject::Session(GatewayNumber(gateway), _) => Some(gateway),
        _ => None,
    }
}
