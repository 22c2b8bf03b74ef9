//! Workers that do at once what they are given, and remember it.

use std::sync::{Arc, Mutex};

use sluice_backbone::{Command, Delivery, Gather, SessionInfo, Sink};
use sluice_rooms::Announcement;

#[derive(Default)]
pub(super) struct Workers(Mutex<Done>);

#[derive(Default)]
pub(super) struct Done {
    pub(super) news: Vec<Arc<Announcement>>,
    pub(super) commands: Vec<Arc<Command>>,
    /// What a session list is answered with.
    pub(super) sessions: Vec<SessionInfo>,
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
            other => panic!("nothing else should come, not {other:?}"),
        });
    }
}
