//! Sessions that outlive their gateway, and go from one to another.
//!
//! A session is stored under `<prefix>.sess.<gateway>.<session>` in a stream that keeps one message
//! of each subject. Whoever takes it over stores it under its own number, and puts an end mark in
//! the place of the old one, under the condition that it is still the one that was read: of two
//! who claim it, one gets it. The sessions of a gateway that died go all at once, later.

mod claims;
mod stored;
mod sweep;

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use sluice_backbone::{Error, Record, Reply, Stored};
use sluice_rooms::SessionId;
use tokio::sync::oneshot;

use self::claims::Claims;
use super::{Purpose, io::Io, kept::later};
use crate::Packet;

/// How long the store may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// How long the end mark of a session is kept.
const MARK: &str = "60s";

/// What a question is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// That a session is kept.
    Store(u64),
    /// A step of a claim.
    Claim(u64),
    /// Which gateways have stored sessions.
    Gateways,
    /// That the sessions of a gateway are gone.
    Purge(u32),
}

/// What this gateway has stored, and what it is taking over.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    last: u64,
    storing: BTreeMap<u64, oneshot::Sender<Result<(), Error>>>,
    own: HashSet<SessionId>,
    claims: Claims,
    /// Users whose sessions came from other gateways.
    moved: Vec<(Arc<str>, u32)>,
    sweep: sweep::Sweep,
}

impl Sessions {
    /// Stores a session of this gateway.
    pub(crate) fn store(&mut self, io: &mut Io<'_>, session: &Stored) -> Reply<()> {
        if !io.connected {
            return Reply::Now(Err(Error::Unavailable));
        }
        self.register(io);
        self.own.insert(session.session);
        let (tell, told) = oneshot::channel();
        self.last += 1;
        self.storing.insert(self.last, tell);
        let subject = subject(io, io.gateway, session.session);
        let purpose = Purpose::Sessions(Ask::Store(self.last));
        let payload = stored::encode(session);
        io.request(subject, Vec::new(), payload, purpose, ANSWER);
        later(told)
    }

    /// A session of this gateway has ended.
    pub(crate) fn forget(&mut self, io: &mut Io<'_>, session: SessionId) {
        if self.own.remove(&session) {
            let subject = subject(io, io.gateway, session);
            io.publish(subject, vec![("Nats-TTL", MARK.to_owned())], stored::MARK);
        }
    }

    fn stored(&mut self, id: u64, packet: Option<&Packet>) {
        if let Some(tell) = self.storing.remove(&id) {
            let kept = packet.is_some_and(|packet| stored::sequence(packet).is_some());
            let result = if kept {
                Ok(())
            } else {
                Err(Error::Unavailable)
            };
            // Whoever stored it may be gone.
            let _ = tell.send(result);
        }
    }

    pub(crate) fn answer(&mut self, io: &mut Io<'_>, request: u64, ask: &Ask, packet: &Packet) {
        match ask {
            Ask::Store(id) => {
                io.requests.close(request);
                self.stored(*id, Some(packet));
            }
            Ask::Claim(id) => self.claim_answered(io, request, *id, packet),
            Ask::Gateways => self.sweep.listed(io, request, packet),
            Ask::Purge(gateway) => {
                io.requests.close(request);
                self.sweep.purged(*gateway, packet);
            }
        }
    }

    pub(crate) fn unanswered(&mut self, io: &mut Io<'_>, ask: &Ask) {
        match ask {
            Ask::Store(id) => self.stored(*id, None),
            Ask::Claim(id) => self.claim_unanswered(io, *id),
            Ask::Gateways | Ask::Purge(_) => {}
        }
    }

    /// Takes the users whose sessions came from other gateways since the last time.
    pub(crate) fn take_moved(&mut self) -> Vec<(Arc<str>, u32)> {
        std::mem::take(&mut self.moved)
    }

    /// How many sessions are on their way into the store.
    pub(crate) fn storing(&self) -> usize {
        self.storing.len()
    }

    /// How many claims are under way.
    pub(crate) fn claiming(&self) -> usize {
        self.claims.len()
    }

    /// How many sessions of this gateway are stored.
    pub(crate) fn len(&self) -> usize {
        self.own.len()
    }
}

fn subject(io: &Io<'_>, gateway: u32, session: SessionId) -> String {
    io.names
        .subject("sess", &format!("{gateway:08x}.{session}"))
}

fn refuse(
    tell: oneshot::Sender<Result<Option<Record>, Error>>,
    why: Result<Option<Record>, Error>,
) {
    // Whoever claimed may be gone.
    let _ = tell.send(why);
}
