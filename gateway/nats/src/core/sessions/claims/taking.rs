//! Taking over what is stored: under this gateway's number, and an end mark in the old one's place.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use sluice_backbone::Error;
use sluice_contract::{EndMark, GatewayNumber};
use sluice_rooms::SessionId;

use super::{Claiming, Step, ask};
use crate::{
    Packet,
    core::{
        Purpose,
        io::Io,
        sessions::{
            ANSWER, Ask, EXPECTED, Sessions,
            stored::{self, Found, Last},
            subject,
        },
    },
};

impl Sessions {
    pub(super) fn read_kept(&mut self, io: &mut Io<'_>, id: u64) {
        if let Some(claiming) = self.claims.open.get_mut(&id) {
            claiming.step = Step::Read;
            ask_last(io, claiming, id);
        }
    }

    pub(super) fn read(&mut self, io: &mut Io<'_>, id: u64, packet: &Packet) {
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        let claim = &claiming.claim;
        let own =
            |found: &Found| *found.user == *claim.user && *found.namespace == *claim.namespace;
        match stored::last(packet) {
            Last::Session(sequence, found) if own(&found) => {
                // No gateway is left that could tell how far a client has read that is vague.
                let Some(record) = found.record(claim.read.as_ref()) else {
                    return self.finish(io, id, Ok(None));
                };
                (claiming.sequence, claiming.record) = (sequence, Some(record));
                self.store_own(io, id);
            }
            Last::Session(..) => self.finish(io, id, Ok(None)),
            Last::Newer => {
                self.newer += 1;
                self.finish(io, id, Ok(None));
            }
            Last::Ended(_) | Last::Nothing => self.look_again(io, id),
            Last::Unavailable => self.try_again(io, id),
        }
    }

    pub(super) fn store_own(&mut self, io: &mut Io<'_>, id: u64) {
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

    pub(super) fn own_stored(&mut self, io: &mut Io<'_>, id: u64, packet: &Packet) {
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
        self.mark_old(io, id);
    }

    /// Puts an end mark in the place of the old one.
    pub(super) fn mark_old(&mut self, io: &mut Io<'_>, id: u64) {
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        claiming.step = Step::Mark;
        // The gateway that had it may not hear of it before it can be heard again itself.
        let kept = format!("{}s", self.sweep.longest().as_secs());
        let old = subject(io, claiming.owner, claiming.claim.pid.session());
        let expected = claiming.sequence.to_string();
        let headers = vec![(EXPECTED, expected), ("Nats-TTL", kept)];
        let purpose = Purpose::Sessions(Ask::Claim(id));
        io.request(old, headers, own_mark(io, id), purpose, ANSWER);
    }

    /// A session that its last gateway has given up is nobody else's, and is stored later. One of
    /// a gateway that died is still there for others.
    pub(super) fn own_unstored(&mut self, io: &mut Io<'_>, id: u64) {
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        let (given_up, (session, payload)) = (claiming.sequence == 0, claiming.own());
        if given_up {
            let number = self.number(session);
            self.unkept.insert(number, (session, payload));
            self.finish_found(io, id);
        } else {
            self.try_again(io, id);
        }
    }

    pub(super) fn marked(&mut self, io: &mut Io<'_>, id: u64, packet: &Packet) {
        if stored::sequence(packet).is_some() {
            self.finish_found(io, id);
        } else if stored::is_unexpected(packet) {
            self.read_mark(io, id);
        } else {
            self.try_again(io, id);
        }
    }

    /// There is a mark already. It is this claim's own where the answer to an earlier try was lost.
    pub(super) fn read_mark(&mut self, io: &mut Io<'_>, id: u64) {
        if let Some(claiming) = self.claims.open.get_mut(&id) {
            claiming.step = Step::Marked;
            ask_last(io, claiming, id);
        }
    }

    pub(super) fn mark_read(&mut self, io: &mut Io<'_>, id: u64, packet: &Packet) {
        match stored::last(packet) {
            Last::Ended(mark) if mark == own_mark(io, id) => self.finish_found(io, id),
            Last::Unavailable => self.try_again(io, id),
            // Somebody else has it.
            Last::Session(..) | Last::Newer | Last::Ended(_) | Last::Nothing => {
                self.drop_own(io, id);
                self.finish(io, id, Ok(None));
            }
        }
    }

    /// There is no more time.
    pub(super) fn run_out(&mut self, io: &mut Io<'_>, id: u64) {
        let Some(open) = self.claims.open.get(&id) else {
            return;
        };
        match open.step {
            Step::Store if open.sequence == 0 => return self.own_unstored(io, id),
            Step::Store | Step::Mark | Step::Marked => self.drop_own(io, id),
            Step::Here | Step::Find | Step::Owner | Step::Read => {}
        }
        self.finish(io, id, Err(Error::Unavailable));
    }

    /// Drops what is stored under this gateway's number of a session that it did not get.
    fn drop_own(&mut self, io: &mut Io<'_>, id: u64) {
        let open = self.claims.open.get(&id);
        if let Some(session) = open.map(|open| open.claim.pid.session()) {
            self.forget(io, session);
        }
    }

    fn finish_found(&mut self, io: &Io<'_>, id: u64) {
        let claiming = self.claims.open.get_mut(&id);
        if let Some(claiming) = claiming {
            let record = claiming.record.take();
            let (user, owner) = (Arc::clone(&claiming.claim.user), claiming.owner);
            self.moved.push((user, owner));
            self.finish(io, id, Ok(record));
        }
    }
}

/// Asks the leader for what is stored last of a session in its old place.
fn ask_last(io: &mut Io<'_>, claiming: &Claiming, id: u64) {
    let old = subject(io, claiming.owner, claiming.claim.pid.session());
    let to = format!("$JS.API.STREAM.MSG.GET.{}", io.names.sessions_stream());
    ask(io, to, json!({"last_by_subj": old}).to_string(), id, ANSWER);
}

/// The end mark that a claim puts, which no other one does.
fn own_mark(io: &Io<'_>, id: u64) -> Vec<u8> {
    EndMark::of_claim(GatewayNumber(io.gateway), id).encode()
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
            caught_up: Vec::new(),
            came: self.claim.read.clone(),
        };
        (session, stored::encode(&stored))
    }
}
