//! A question that waits for the answers of all gateways.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use sluice_backbone::{Error, Members};
use sluice_contract::GatewayNumber;
use sluice_rooms::{RoomKey, RoomSettings};
use tokio::sync::oneshot;

use super::MembersAnswer;
use crate::core::presence::{peer::Users, room::Room};

/// The most gateways whose answers are taken.
const MAX_ANSWERS: usize = 4_096;

/// What the answers are for.
#[derive(Debug)]
pub(super) enum Then {
    Members {
        limit: usize,
        sender: oneshot::Sender<Members>,
    },
    Join {
        user: Arc<str>,
        settings: RoomSettings,
        sender: oneshot::Sender<Result<(), Error>>,
    },
}

#[derive(Debug)]
pub(super) struct Inquiry {
    pub(super) room: RoomKey,
    waiting: FxHashSet<u32>,
    pub(super) answers: Vec<MembersAnswer>,
    pub(super) then: Then,
}

impl Inquiry {
    pub(super) fn new(room: RoomKey, waiting: FxHashSet<u32>, then: Then) -> Self {
        Self {
            room,
            waiting,
            answers: Vec::new(),
            then,
        }
    }

    /// Adds an answer; true where it was the last.
    pub(super) fn add(&mut self, answer: MembersAnswer) -> bool {
        self.waiting.remove(&answer.gateway.0);
        if !self.has(answer.gateway) && self.answers.len() < MAX_ANSWERS {
            self.answers.push(answer);
        }
        self.waiting.is_empty()
    }

    fn has(&self, gateway: GatewayNumber) -> bool {
        self.answers.iter().any(|answer| answer.gateway == gateway)
    }

    /// For gateways that have not answered, what they said before.
    pub(super) fn complete_from(&mut self, room: &Room) {
        for (gateway, peer) in &room.peers {
            if self.has(GatewayNumber(*gateway)) {
                continue;
            }
            let users = match &peer.users {
                Users::Named(users) => users.iter().cloned().collect(),
                Users::Counted(_) => Vec::new(),
            };
            self.answers.push(MembersAnswer {
                gateway: GatewayNumber(*gateway),
                sessions: peer.sessions,
                count: peer.users.count(),
                users,
            });
        }
    }
}

/// All answers in one. A user who is in several is counted once, as long as each names all; of
/// those that do not, the users are counted as others.
pub(super) fn merge(own: MembersAnswer, answers: Vec<MembersAnswer>, limit: usize) -> Members {
    let mut users = FxHashMap::default();
    let mut unnamed = 0;
    for answer in std::iter::once(own).chain(answers) {
        let complete = answer.users.len() as u64 >= answer.count;
        if !complete {
            unnamed += answer.count;
        }
        for user in answer.users {
            *users.entry(user).or_insert(false) |= complete;
        }
    }
    let named = users.values().filter(|complete| **complete).count() as u64;
    Members {
        users: users.into_keys().take(limit).collect(),
        count: usize::try_from(named + unnamed).unwrap_or(usize::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(gateway: u32, count: u64, users: &[&str]) -> MembersAnswer {
        MembersAnswer {
            gateway: GatewayNumber(gateway),
            sessions: 9,
            count,
            users: users.iter().map(|user| Arc::from(*user)).collect(),
        }
    }

    #[test]
    fn a_user_of_two_gateways_is_one() {
        let own = answer(1, 2, &["ann", "bob"]);
        let members = merge(own, vec![answer(2, 2, &["bob", "cem"])], 9);
        assert_eq!((members.users.len(), members.count), (3, 3));
    }

    #[test]
    fn users_that_are_not_named_are_counted() {
        let own = answer(1, 1, &["ann"]);
        let members = merge(own, vec![answer(2, 5_000, &["bob"])], 9);
        assert_eq!((members.users.len(), members.count), (2, 5_001));
    }

    #[test]
    fn no_more_are_named_than_asked_for() {
        let members = merge(answer(1, 3, &["a", "b", "c"]), Vec::new(), 2);
        assert_eq!((members.users.len(), members.count), (2, 3));
    }
}
