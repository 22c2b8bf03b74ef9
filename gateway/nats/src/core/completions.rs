//! What workers have done for other gateways, on its way back.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use sluice_backbone::{Record, SessionInfo};
use sluice_rooms::SessionId;
use sluice_util::lock;

/// Something that workers have done.
#[derive(Debug)]
pub enum Done {
    /// A command; so many sessions carried it out.
    Command {
        /// Where the answer goes.
        reply: Bytes,
        /// How many sessions carried it out.
        sessions: u64,
    },
    /// The other workers here have said whether they have a session that one of them claims.
    ClaimedHere {
        /// The number of the claim.
        id: u64,
        /// What is left of the session.
        record: Option<Record>,
    },
    /// A session that another gateway claims was given up, or is not here.
    Claimed {
        /// Where the answer goes.
        reply: Bytes,
        /// The session that was claimed.
        session: SessionId,
        /// The session's user.
        user: Arc<str>,
        /// What is left of it.
        record: Option<Record>,
    },
    /// A call of another gateway.
    Answered {
        /// Where the answer goes.
        reply: Bytes,
        /// What is answered.
        answer: Bytes,
    },
    /// A list of sessions.
    Sessions {
        /// Where the answer goes.
        reply: Bytes,
        /// The sessions of this gateway.
        sessions: Vec<SessionInfo>,
    },
}

/// Where workers leave what they have done.
pub struct Completions {
    done: Mutex<Vec<Done>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Completions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Completions")
    }
}

impl Completions {
    /// None yet; `wake` is called with each.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            done: Mutex::default(),
            wake: Box::new(wake),
        }
    }

    pub(crate) fn add(&self, done: Done) {
        let mut waiting = lock(&self.done);
        waiting.push(done);
        drop(waiting);
        (self.wake)();
    }

    pub(crate) fn take(&self) -> Vec<Done> {
        std::mem::take(&mut *lock(&self.done))
    }
}
