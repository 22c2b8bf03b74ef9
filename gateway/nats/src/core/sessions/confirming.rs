//! Making sure that a session of this gateway is still its own before it is given up here.
//!
//! While the link was lost another gateway may have taken it over, and its client may have been
//! there. The marks that tell so are looked for when the link is there again, at a replica, which
//! may be behind. Until that is over the store's leader is asked for each session that is claimed.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rand::RngExt as _;
use sluice_backbone::{Error, Reply};
use sluice_rooms::SessionId;
use sluice_util::Retries;
use tokio::sync::oneshot;

use super::{Io, Sessions};
use crate::{BACKOFF, Packet, core::RECOVERY};

/// How long another gateway waits for a session that it claims.
const OTHER: Duration = Duration::from_secs(1);

/// Who waits to hear whether a session has gone on elsewhere.
#[derive(Debug)]
enum Waiting {
    /// A worker that has the session.
    Worker(usize, oneshot::Sender<Result<(), Error>>),
    /// A claim of another worker here.
    Claim(u64),
    /// A claim of another gateway, and until when it waits.
    Other(Packet, Instant),
}

/// A question to the leader.
#[derive(Debug)]
struct Asking {
    waiting: Vec<Waiting>,
    until: Instant,
    retries: Retries,
    /// When it is asked again; none while an answer is awaited.
    again: Option<Instant>,
}

/// All sessions of which it is not known whether they have gone on elsewhere.
#[derive(Debug, Default)]
pub(super) struct Confirming(BTreeMap<SessionId, Asking>);

impl Confirming {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Sessions {
    /// As [`Backbone::confirm`](sluice_backbone::Backbone::confirm).
    pub(crate) fn confirm(
        &mut self,
        io: &mut Io<'_>,
        worker: usize,
        session: SessionId,
    ) -> Reply<()> {
        if self.is_sure(io, session) {
            return Reply::Now(Ok(()));
        }
        let (tell, told) = oneshot::channel();
        self.ask_leader(io, session, Waiting::Worker(worker, tell));
        Reply::told(told)
    }

    /// Another worker here claims a session.
    pub(super) fn confirm_claim(&mut self, io: &mut Io<'_>, id: u64, session: SessionId) {
        if self.is_sure(io, session) {
            self.ask_here(io, id);
        } else {
            self.ask_leader(io, session, Waiting::Claim(id));
        }
    }

    /// Another gateway claims a session.
    pub(super) fn confirm_other(&mut self, io: &mut Io<'_>, packet: &Packet, session: SessionId) {
        if self.is_sure(io, session) {
            self.ask_workers(io, packet);
        } else {
            let other = Waiting::Other(packet.clone(), io.now + OTHER);
            self.ask_leader(io, session, other);
        }
    }

    /// What is not stored nobody else can have taken. Without the link there is nobody to ask, and
    /// clients of this gateway go on here.
    fn is_sure(&self, io: &Io<'_>, session: SessionId) -> bool {
        let settled = self.moves.is_settled() && self.elsewhere.is_idle();
        !io.connected || settled || !self.own.contains_key(&session)
    }

    fn ask_leader(&mut self, io: &mut Io<'_>, session: SessionId, who: Waiting) {
        let asking = self.confirming.0.entry(session).or_insert_with(|| {
            Self::check(io, session);
            Asking {
                waiting: Vec::new(),
                until: io.now + RECOVERY,
                retries: Retries::new(BACKOFF),
                again: None,
            }
        });
        asking.waiting.push(who);
    }

    /// The leader has said it, and the workers know.
    pub(super) fn confirmed(&mut self, io: &mut Io<'_>, session: SessionId) {
        let asking = self.confirming.0.remove(&session);
        for who in asking.into_iter().flat_map(|asking| asking.waiting) {
            match who {
                Waiting::Worker(worker, tell) => io.answer(worker, tell, Ok(())),
                Waiting::Claim(id) => self.ask_here(io, id),
                // Who waits no more has taken what is stored.
                Waiting::Other(_, until) if until <= io.now => {}
                Waiting::Other(packet, _) => self.ask_workers(io, &packet),
            }
        }
    }

    /// The leader has not said it.
    pub(super) fn unconfirmed(&mut self, io: &mut Io<'_>, session: SessionId) {
        if let Some(asking) = self.confirming.0.get_mut(&session) {
            asking.again = Some(io.now + asking.retries.delay(io.rng.random()));
            asking.retries.failed();
        }
    }

    pub(super) fn confirm_if_due(&mut self, io: &mut Io<'_>) {
        let all = self.confirming.0.iter();
        let over: Vec<_> = all
            .filter(|(_, asking)| asking.until <= io.now)
            .map(|(session, _)| *session)
            .collect();
        for session in over {
            self.give_up_confirming(io, session);
        }
        for (session, asking) in &mut self.confirming.0 {
            if io.connected && asking.again.is_some_and(|at| at <= io.now) {
                asking.again = None;
                Self::check(io, *session);
            }
        }
    }

    fn give_up_confirming(&mut self, io: &mut Io<'_>, session: SessionId) {
        let asking = self.confirming.0.remove(&session);
        for who in asking.into_iter().flat_map(|asking| asking.waiting) {
            match who {
                Waiting::Worker(worker, tell) => io.answer(worker, tell, Err(Error::Unavailable)),
                Waiting::Claim(id) => self.finish(io, id, Err(Error::Unavailable)),
                Waiting::Other(..) => {}
            }
        }
    }
}
