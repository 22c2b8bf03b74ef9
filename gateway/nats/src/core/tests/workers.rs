//! Workers that do at once what they are given, and remember it.

use std::sync::{Arc, Mutex};

use sluice_backbone::{BackboneEvent, Command, Gather, SessionInfo, Workers};
use sluice_rooms::{Announcement, SessionId};

#[derive(Default)]
pub(super) struct FakeWorkers(Mutex<Done>);

#[derive(Default)]
pub(super) struct Done {
    pub(super) news: Vec<Arc<Announcement>>,
    pub(super) commands: Vec<Arc<Command>>,
    /// How many messages of rooms there were.
    pub(super) messages: usize,
    /// What a session list is answered with.
    pub(super) sessions: Vec<SessionInfo>,
    /// Sessions that have gone on elsewhere.
    pub(super) moved: Vec<SessionId>,
    /// How many sessions were claimed; none is here.
    pub(super) claims: usize,
    /// Whether they are too far behind to be left more messages.
    pub(super) full: bool,
    /// Whether nothing is answered.
    pub(super) stuck: bool,
    held: Vec<Gather<u64>>,
}

impl FakeWorkers {
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Done) -> T) -> T {
        f(&mut self.0.lock().unwrap())
    }
}

impl Workers for FakeWorkers {
    fn count(&self) -> usize {
        1
    }

    fn is_full(&self, _: usize) -> bool {
        self.with(|done| done.full)
    }

    fn is_idle(&self, _: usize) -> bool {
        true
    }

    fn deliver(&self, _: usize, event: BackboneEvent) {
        self.with(|done| match event {
            BackboneEvent::Presence(_, news) => done.news.push(news),
            BackboneEvent::Command(command, gather) => {
                done.commands.push(command);
                if done.stuck {
                    done.held.push(gather);
                } else {
                    gather.add(1);
                }
            }
            BackboneEvent::Sessions(_, _, gather) => {
                for info in &done.sessions {
                    gather.add(info.clone());
                }
            }
            BackboneEvent::Room(_) => done.messages += 1,
            BackboneEvent::Moved(session) => done.moved.push(session),
            BackboneEvent::Claim(..) => done.claims += 1,
            BackboneEvent::Completion(completion) => completion.give(),
            other => panic!("nothing else should come, not {other:?}"),
        });
    }
}
