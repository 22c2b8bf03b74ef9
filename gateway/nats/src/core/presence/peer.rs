//! What another gateway has said of its members of a room.

use std::{sync::Arc, time::Instant};

use rustc_hash::FxHashSet;

use crate::core::{assembly::Assembly, patience::Patience};

/// The most users of one gateway that are known by name; well above what it says by name.
const MAX_USERS: usize = 16_384;

/// Another gateway's members.
#[derive(Debug)]
pub(super) struct Peer {
    /// The newest of what it has said; 0 as long as that is nothing.
    pub(super) version: u64,
    /// How many sessions it has.
    pub(super) sessions: u32,
    pub(super) users: Users,
    pub(super) patience: Patience,
    partial: Option<Box<Assembly<Arc<str>>>>,
}

/// A gateway's users.
#[derive(Debug)]
pub(super) enum Users {
    Named(FxHashSet<Arc<str>>),
    Counted(u64),
}

impl Peer {
    /// One that nothing is known of, and that was last asked then.
    pub(super) fn unknown(asked: Option<Instant>) -> Self {
        Self {
            version: 0,
            sessions: 0,
            users: Users::Named(FxHashSet::default()),
            patience: Patience::since(asked),
            partial: None,
        }
    }

    /// One part of all its users; returns them when they are complete.
    pub(super) fn part(
        &mut self,
        version: u64,
        part: (u32, u32),
        users: Vec<Arc<str>>,
    ) -> Option<Vec<Arc<str>>> {
        Assembly::add(&mut self.partial, version, part, users, MAX_USERS)
    }
}

impl Users {
    /// How many users the gateway has in the room.
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Named(users) => users.len() as u64,
            Self::Counted(count) => *count,
        }
    }
}
