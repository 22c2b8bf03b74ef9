//! What must hold.

use std::collections::BTreeMap;

use sluice_backbone::{Error, Receipt};
use sluice_rooms::SessionId;

use crate::{
    client::Stand,
    run::{MS, Stage, World},
};

/// How long a message may be missing at a gateway before it must have been noticed.
const UNNOTICED: u64 = 5_000 * MS;

/// A publication, and what its publisher was told.
#[derive(Debug)]
pub struct Published {
    pub room: usize,
    pub except: Option<SessionId>,
    pub told: Vec<Result<Receipt, Error>>,
}

impl World {
    /// The room's next message after an offset that a session must get.
    fn next_message(&self, room: usize, after: u64, session: SessionId) -> Option<u64> {
        let subject = self.subject(room);
        let ever = self.server.rooms.ever(&subject);
        let start = ever.partition_point(|seq| *seq <= after);
        ever[start..].iter().copied().find(|seq| {
            let number = self.publication_of(*seq);
            number.is_none_or(|number| self.published[&number].except != Some(session))
        })
    }

    fn publication_of(&self, seq: u64) -> Option<u64> {
        let id = self.server.rooms.log[seq as usize - 1].id.as_ref()?;
        let number = id.rsplit_once(".p")?.1;
        // What follows names the message that had the id before, and is gone.
        let number = number.split_once('~').map_or(number, |(number, _)| number);
        number.parse().ok()
    }

    /// A member got a message: it must be the next one.
    pub fn check_next(&mut self, client: usize, room: usize, offset: u64) {
        if !self.places.is_kept(room) {
            return;
        }
        let (Some(Stand::In { last, .. }), Some(pid)) = (
            self.clients[client].rooms.get(&room),
            self.clients[client].pid,
        ) else {
            return;
        };
        let last = *last;
        let next = self.next_message(room, last, pid.session());
        if next != Some(offset) && !self.may_follow(client, room, offset) {
            let wrong = if offset <= last {
                "again or late"
            } else {
                "after a gap"
            };
            self.fail(format!(
                "client {client} in room {room} got {offset} {wrong}: it has {last}, next is {next:?}"
            ));
        }
        if let Some(Stand::In { last, .. }) = self.clients[client].rooms.get_mut(&room) {
            *last = offset;
        }
    }

    /// Whether a message is what comes after those whose loss nobody could notice.
    fn may_follow(&mut self, client: usize, room: usize, offset: u64) -> bool {
        let one = &self.clients[client];
        let (Some(read_to), Some(pid)) = (one.excused.get(&room), one.pid) else {
            return false;
        };
        let follows = self.next_message(room, *read_to, pid.session()) == Some(offset);
        if follows {
            self.clients[client].excused.remove(&room);
            self.count("skipped unnoticed");
        }
        follows
    }

    /// A client was told that it recovered: what it misses comes, unless nobody could know of it.
    pub fn check_recovered(&mut self, client: usize) {
        let one = &self.clients[client];
        let (Some(read), Some(pid)) = (one.read.clone(), one.pid) else {
            return;
        };
        let rooms: Vec<_> = one
            .rooms
            .iter()
            .filter_map(|(room, stand)| match stand {
                Stand::In { last, kept: true } => Some((*room, *last)),
                _ => None,
            })
            .collect();
        for (room, last) in rooms {
            if !self.places.is_kept(room) {
                continue;
            }
            let next = self.next_message(room, last, pid.session());
            let read_to = read.in_room(self.places.key(room));
            let Some(skipped) = next.filter(|next| *next <= read_to) else {
                continue;
            };
            if self.is_excused(client, room, skipped) {
                let excused = &mut self.clients[client].excused;
                let most = excused.entry(room).or_default();
                *most = read_to.max(*most);
            }
        }
    }

    /// Whether its gateway had heard of a later message of the room when it said how far the
    /// client was.
    fn was_known(&self, client: usize, room: usize, seq: u64) -> bool {
        let one = &self.clients[client];
        let ever = self.server.rooms.ever(&self.subject(room));
        let later = &ever[ever.partition_point(|other| *other <= seq)..];
        let heard = |seq: &u64| self.heard.get(&(one.read_at, *seq));
        later.iter().filter_map(heard).any(|at| *at < one.said_at)
    }

    /// Whether its gateway could not know that it had not got the message when it said how far
    /// the client was, and was not there to be asked when it knew.
    fn is_excused(&self, client: usize, room: usize, seq: u64) -> bool {
        if self.was_known(client, room, seq) {
            return false;
        }
        let one = &self.clients[client];
        let Some(inbox) = self.inboxes.get(&one.read_at) else {
            return false;
        };
        let session = one.pid.map(|pid| pid.session().to_string());
        let left = session.and_then(|session| self.left.get(&(session, one.read_at)));
        // Who has the session's gateway give it up is told of what came late.
        let given = left.filter(|_| self.nodes.contains_key(&one.read_at));
        let told = given.is_some_and(|given| inbox.delivered(seq).is_some_and(|at| at < *given));
        let stored = self.server.rooms.log[seq as usize - 1].at;
        self.faults.may_skip() && !told && one.said_at.saturating_sub(stored) < UNNOTICED
    }

    /// A client was told that it did not recover.
    pub fn check_told(&mut self, client: usize) {
        if self.stage >= Stage::Moves && self.faults.few.is_none() {
            self.fail(format!("client {client} was not recovered in calm"));
        }
    }

    /// A publisher learns what became of its message.
    pub fn check_receipt(&mut self, number: u64, receipt: Result<Receipt, Error>) {
        match &receipt {
            Ok(Receipt {
                position: Some(position),
                ..
            }) => {
                let at = position.offset as usize;
                let stored = at >= 1 && at <= self.server.rooms.log.len();
                if !stored || self.publication_of(position.offset) != Some(number) {
                    self.fail(format!("publication {number} is not at {at}"));
                }
                self.count("acked");
            }
            Ok(_) => {}
            Err(_) => self.count("refused"),
        }
        if let Some(published) = self.published.get_mut(&number) {
            published.told.push(receipt);
        }
    }

    /// What must hold once everything is calm.
    pub fn check_end(&mut self) {
        self.check_stream();
        self.check_members();
        for client in 0..self.clients.len() {
            self.check_client(client);
        }
        let settled: Vec<_> = self
            .nodes
            .iter()
            .map(|(number, node)| (*number, node.hub.borrow().core.unsettled()))
            .collect();
        for (number, unsettled) in settled {
            if unsettled != sluice_nats::core::Unsettled::default() {
                self.fail(format!("gateway {number:x} is not settled: {unsettled:?}"));
            }
        }
        let lost: u64 = self
            .nodes
            .values()
            .map(|node| node.hub.borrow().core.history_counters().lost)
            .sum();
        if lost > 0 && self.server.rooms.per_subject.is_none() {
            self.fail(format!("{lost} messages count as lost"));
        }
    }

    /// Everybody but those who have left is in every room by now, and every gateway knows it.
    fn check_members(&mut self) {
        let there = self.clients.iter().skip(self.gone);
        let mut users: Vec<_> = there.map(|one| one.user.to_string()).collect();
        users.sort_unstable();
        let mut wrong = Vec::new();
        for (number, node) in &self.nodes {
            let hub = node.hub.borrow();
            let listed = hub.members.len() == self.places.len();
            for (room, members) in &hub.members {
                if *members != users {
                    wrong.push(format!(
                        "gateway {number:x} sees in room {room} {members:?}"
                    ));
                }
            }
            if !listed {
                wrong.push(format!("gateway {number:x} does not say who is there"));
            }
        }
        for wrong in wrong {
            self.fail(wrong);
        }
    }

    /// Whether a message was stored again while the history still held it.
    fn is_twice_at_once(&self, stored: &[u64]) -> bool {
        let log = |seq: &u64| &self.server.rooms.log[*seq as usize - 1];
        let pairs = stored.iter().zip(stored.iter().skip(1));
        pairs.into_iter().any(|(first, again)| {
            let (first, again) = (log(first), log(again));
            first.removed.is_none_or(|removed| removed > again.at)
        })
    }

    fn check_stream(&mut self) {
        let mut times: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for seq in 1..=self.server.rooms.last_seq() {
            if let Some(number) = self.publication_of(seq) {
                times.entry(number).or_default().push(seq);
            }
        }
        let mut wrong = Vec::new();
        for (number, published) in &self.published {
            let stored = times.get(number).map_or(&[][..], Vec::as_slice);
            let acked = published.told.iter().any(Result::is_ok);
            let kept = self.places.is_kept(published.room);
            if self.is_twice_at_once(stored) || (kept && acked && stored.is_empty()) {
                wrong.push(format!("publication {number} is stored at {stored:?}"));
            }
        }
        for wrong in wrong {
            self.fail(wrong);
        }
    }

    fn check_client(&mut self, client: usize) {
        let one = &self.clients[client];
        if !one.connected {
            self.fail(format!("client {client} is not connected"));
            return;
        }
        let Some(pid) = self.clients[client].pid else {
            return;
        };
        if client < self.gone {
            return;
        }
        for room in 0..self.places.len() {
            let Some(Stand::In { last, .. }) = self.clients[client].rooms.get(&room) else {
                let stand = self.clients[client].rooms.get(&room).cloned();
                self.fail(format!("client {client} is not in room {room}: {stand:?}"));
                continue;
            };
            let excused = self.clients[client].excused.get(&room);
            let last = excused.map_or(*last, |excused| *last.max(excused));
            let next = self.next_message(room, last, pid.session());
            if let Some(next) = next.filter(|_| self.places.is_kept(room)) {
                self.fail(format!(
                    "client {client} in room {room} has {last} and never got {next}"
                ));
            }
        }
    }
}
