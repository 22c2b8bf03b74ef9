//! What is done to sessions wherever they are: `<prefix>.cmd`.

mod listing;
mod open;
mod wire;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use sluice_backbone::{BackboneEvent, Command, Error, Gather, Reply, SessionInfo};
use sluice_contract::GatewayNumber;
use tokio::sync::oneshot;

use self::{
    listing::{CommandAnswer, listed},
    open::{Open, Sum},
    wire::Request,
};
use super::{Completions, Done, Purpose, fleet::Fleet, io::Io, json::json};
use crate::Packet;

/// How long gateways have time to answer.
const WITHIN: Duration = Duration::from_secs(2);

/// The most requests that wait for answers.
const MAX_OPEN: usize = 16_384;

/// Requests to all gateways, of this one and of others.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    last: u64,
    open: FxHashMap<u64, Open>,
    silent: u64,
    garbage: u64,
    newer: u64,
}

impl Commands {
    /// Has every session of the fleet that a command speaks of carry it out. While this gateway
    /// has no connection to the others, only those here.
    pub(crate) fn command(
        &mut self,
        io: &mut Io<'_>,
        fleet: &Fleet,
        command: Command,
    ) -> Reply<u64> {
        let mut workers = 0..io.workers.count();
        let is_message = matches!(command, Command::Send(..));
        if is_message && workers.any(|worker| io.workers.is_full(worker)) {
            return Reply::Now(Err(Error::Overloaded));
        }
        let command = Arc::new(command);
        let (sender, others) = oneshot::channel();
        let request = Request::Command(Arc::clone(&command));
        if let Err(error) = self.ask(io, fleet, &request, Sum::Done(0, sender)) {
            return Reply::Now(Err(error));
        }
        let (gather, here) = Gather::new();
        deliver(io, || {
            BackboneEvent::Command(Arc::clone(&command), gather.clone())
        });
        Reply::Later(Box::pin(async move {
            let here: u64 = here.await.unwrap_or_default().iter().sum();
            Ok(here + others.await.unwrap_or_default())
        }))
    }

    /// The sessions of the fleet, up to `limit`, those of `user` only if one is given.
    pub(crate) fn sessions(
        &mut self,
        io: &mut Io<'_>,
        fleet: &Fleet,
        user: Option<Arc<str>>,
        limit: usize,
    ) -> Reply<Vec<SessionInfo>> {
        let (sender, others) = oneshot::channel();
        let sum = Sum::Sessions {
            sessions: Vec::new(),
            limit,
            sender,
        };
        let user_of = user.clone();
        if let Err(error) = self.ask(io, fleet, &Request::Sessions { user, limit }, sum) {
            return Reply::Now(Err(error));
        }
        let (gather, here) = Gather::new();
        deliver(io, || {
            BackboneEvent::Sessions(user_of.clone(), limit, gather.clone())
        });
        Reply::Later(Box::pin(async move {
            let mut sessions = here.await.unwrap_or_default();
            sessions.extend(others.await.unwrap_or_default());
            sessions.truncate(limit);
            Ok(sessions)
        }))
    }

    fn ask(
        &mut self,
        io: &mut Io<'_>,
        fleet: &Fleet,
        request: &Request,
        sum: Sum,
    ) -> Result<(), Error> {
        let waiting = fleet.heard(io.now);
        let open = Open::new(waiting, sum);
        let payload = wire::encode(io.gateway, request);
        // What is refused does not depend on who is there.
        if !io.fits(&Vec::new(), payload.len()) {
            return Err(Error::TooLarge);
        }
        if !io.connected || !fleet.is_anybody_heard(io.now) {
            open.finish();
            return Ok(());
        }
        if self.open.len() >= MAX_OPEN {
            return Err(Error::Overloaded);
        }
        self.last += 1;
        self.open.insert(self.last, open);
        let (subject, purpose) = (io.names.commands(), Purpose::Command(self.last));
        io.request(subject, Vec::new(), payload, purpose, WITHIN);
        Ok(())
    }

    /// Another gateway's request.
    pub(crate) fn message(
        &mut self,
        io: &mut Io<'_>,
        completions: &Arc<Completions>,
        packet: &Packet,
    ) {
        let request = wire::decode(packet.payload.clone(), io.now);
        let (Some((from, request)), Some(reply)) = (request, packet.reply.clone()) else {
            if wire::is_newer(packet.payload.clone()) {
                self.newer += 1;
            } else {
                self.garbage += 1;
            }
            return;
        };
        if from == io.gateway {
            return;
        }
        let completions = Arc::clone(completions);
        match request {
            Request::Command(command) => {
                let gather = Gather::then(move |done: Vec<u64>| {
                    let sessions = done.iter().sum();
                    completions.add(Done::Command { reply, sessions });
                });
                deliver(io, || {
                    BackboneEvent::Command(Arc::clone(&command), gather.clone())
                });
            }
            Request::Sessions { user, limit } => {
                let gather = Gather::then(move |mut sessions: Vec<SessionInfo>| {
                    sessions.truncate(limit);
                    completions.add(Done::Sessions { reply, sessions });
                });
                deliver(io, || {
                    BackboneEvent::Sessions(user.clone(), limit, gather.clone())
                });
            }
        }
    }

    /// An answer to a request of this gateway's.
    pub(crate) fn answer(&mut self, io: &mut Io<'_>, request: u64, id: u64, packet: &Packet) {
        let Some(open) = self.open.get_mut(&id) else {
            return io.requests.close(request);
        };
        if packet.headers.status().is_none() {
            let Ok(answer) = serde_json::from_slice(&packet.payload) else {
                self.garbage += 1;
                return;
            };
            if !open.add(answer) {
                return;
            }
        }
        // All have answered, or nobody is there to do so.
        io.requests.close(request);
        self.unanswered(id);
    }

    /// No more answers will come.
    pub(crate) fn unanswered(&mut self, id: u64) {
        let Some(open) = self.open.remove(&id) else {
            return;
        };
        let silent = open.finish();
        if !silent.is_empty() {
            self.silent += silent.len() as u64;
            let gateways: Vec<_> = silent.iter().map(|(_, name)| &**name).collect();
            tracing::warn!(
                ?gateways,
                "gateways did not answer; they may have done nothing"
            );
        }
    }

    /// How often a gateway did not answer in time.
    pub(crate) fn silent(&self) -> u64 {
        self.silent
    }

    /// How many messages were of kinds that a newer version has.
    pub(crate) fn newer(&self) -> u64 {
        self.newer
    }

    /// How many messages could not be understood.
    pub(crate) fn garbage(&self) -> u64 {
        self.garbage
    }
}

fn deliver(io: &Io<'_>, event: impl Fn() -> BackboneEvent) {
    for worker in 0..io.workers.count() {
        io.workers.deliver(worker, event());
    }
}

/// So many sessions here carried out what another gateway wanted.
pub(crate) fn executed(io: &mut Io<'_>, reply: Bytes, sessions: u64) {
    let answer = CommandAnswer {
        gateway: GatewayNumber(io.gateway),
        done: Some(sessions),
        sessions: Vec::new(),
    };
    io.reply(reply, json(&answer));
}

/// These are the sessions here that another gateway asked for.
pub(crate) fn listed_here(io: &mut Io<'_>, reply: Bytes, sessions: &[SessionInfo]) {
    let answer = CommandAnswer {
        gateway: GatewayNumber(io.gateway),
        done: None,
        sessions: listed(sessions, io.max_payload / 2),
    };
    io.reply(reply, json(&answer));
}
