//! A request whose answers are on their way.

use std::sync::Arc;

use rustc_hash::FxHashSet;
use sluice_backbone::SessionInfo;
use tokio::sync::oneshot;

use super::listing::CommandAnswer;

/// What the answers come to.
#[derive(Debug)]
pub(super) enum Sum {
    Done(u64, oneshot::Sender<u64>),
    Sessions {
        sessions: Vec<SessionInfo>,
        limit: usize,
        sender: oneshot::Sender<Vec<SessionInfo>>,
    },
}

#[derive(Debug)]
pub(super) struct Open {
    /// Who has not answered yet, by number and name.
    waiting: Vec<(u32, Arc<str>)>,
    answered: FxHashSet<u32>,
    sum: Sum,
}

impl Open {
    pub(super) fn new(waiting: Vec<(u32, Arc<str>)>, sum: Sum) -> Self {
        Self {
            waiting,
            answered: FxHashSet::default(),
            sum,
        }
    }

    /// Adds an answer; true where it was the last.
    pub(super) fn add(&mut self, answer: CommandAnswer) -> bool {
        self.waiting
            .retain(|(gateway, _)| *gateway != answer.gateway.0);
        if self.answered.insert(answer.gateway.0) {
            match &mut self.sum {
                Sum::Done(sum, _) => *sum = sum.saturating_add(answer.done.unwrap_or_default()),
                Sum::Sessions {
                    sessions, limit, ..
                } => {
                    let room = limit.saturating_sub(sessions.len());
                    sessions.extend(answer.sessions.into_iter().take(room).map(Into::into));
                }
            }
        }
        self.waiting.is_empty()
    }

    /// Hands over what there is. Returns who has not answered.
    pub(super) fn finish(self) -> Vec<(u32, Arc<str>)> {
        // Whoever asked may have stopped waiting.
        match self.sum {
            Sum::Done(sum, sender) => drop(sender.send(sum)),
            Sum::Sessions {
                sessions, sender, ..
            } => drop(sender.send(sessions)),
        }
        self.waiting
    }
}
