//! Workers that do at once what they are given, and remember it.

use std::sync::{Arc, Mutex};

use sluice_backbone::{Command, Delivery, Gather, SessionInfo, Sink};
use sluice_rooms::{Announcement, SessionId};

#[derive(Default)]
pub(super) struct Workers(Mutex<Done>);

#[derive(Default)]
pub(super) struct Done {
    pub(super) news: Vec<Arc<Announcement>>,
    pub(super) commands: Vec<Arc<Command>>,
    /// What a session list is answered with.
    pub(super) sessions: Vec<SessionInfo>,
    /// Sessions that have gone on elsewhere.
    pub(super) moved: Vec<SessionId>,
    /// How many sessions were claimed; none is here.
    pub(super) claims: usize,
    /// Whether nothing is answered.
    pub(super) stuck: bool,
    held: Vec<Gather<u64>>,
}

impl Workers {
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Done) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }
}

impl Sink for Workers {
    fn workers(&self) -> usize {
        1
    }

    fn is_full(&self, _: usize) -> bool {
        false
    }

    fn deliver(&self, _: usize, delivery: Delivery) {
        self.with(|done| match delivery {
            Delivery::Presence(_, news) => done.news.push(news),
            Delivery::Command(command, gather) => {
                done.commands.push(command);
                if done.stuck {
                    done.held.push(gather);
                } else {
                    gather.add(1);
                }
            }
            Delivery::Sessions(_, gather) => {
                for info in &done.sessions {
                    gather.add(info.clone());
                }
            }
            Delivery::Moved(session) => done.moved.push(session),
            Delivery::Claim(..) => done.claims += 1,
            Delivery::Answer(answer) => answer.give(),
            other => panic!("nothing else should come, not {other:?}"),
        });
    }
}
