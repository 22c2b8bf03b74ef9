//! How instances end, and the streams to them.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use sluice_contract::application::{Frame, FrameKind};
use sluice_util::lock;

use super::Application;
use crate::{Arrival, Instance, counters::add, roster::Fate};

impl Application {
    /// An instance is not there any more.
    pub(super) fn end_of(&self, id: &str, fate: Fate) {
        let counter = match fate {
            Fate::Ended => &self.counters.ended,
            Fate::Silent => &self.counters.silent,
            Fate::Blocked => &self.counters.blocked,
        };
        add(counter);
        let instance = lock(&self.state).instances.get(id).cloned();
        if let Some(instance) = instance {
            match fate {
                Fate::Ended => tracing::info!(application = %self.name, instance = id,
                    "an instance has ended"),
                Fate::Silent => tracing::warn!(application = %self.name, instance = id,
                    "an instance has not been heard for too long; its sessions go to others"),
                Fate::Blocked => tracing::warn!(application = %self.name, instance = id,
                    "the main loop of an instance stands still; its sessions go to others"),
            }
            self.forget(&instance);
        }
    }

    pub(super) fn end_stream(&self, instance: &Arc<Instance>, why: &str) {
        add(&self.counters.reset);
        tracing::warn!(application = %self.name, instance = instance.id(), why,
            "the stream to an instance ends; its sessions are attached anew");
        self.forget(instance);
        let line = Frame::line(FrameKind::Reset, &self.gateway, (instance.number(), 0, 0));
        self.publish(&instance.subject, line.as_bytes());
    }

    fn forget(&self, instance: &Arc<Instance>) {
        let mut state = lock(&self.state);
        let known = state.instances.get(instance.id());
        if known.is_some_and(|known| Arc::ptr_eq(known, instance)) {
            state.instances.remove(instance.id());
        }
        let instances = state.roster.len() as u64;
        drop(state);
        self.counters.instances.store(instances, Relaxed);
        let undelivered = instance.end();
        self.deliver_to_all(&Arrival::Gone(Arc::clone(instance), undelivered.into()));
    }
}
