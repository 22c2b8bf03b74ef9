//! From one instance to the next, while the client stays connected.

use std::{rc::Rc, sync::Arc};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use sluice_applications::{Instance, Undelivered};
use sluice_contract::application::{Entry, Why};

use super::{
    super::{
        Hub, Session,
        attached::{Admission, State},
    },
    Attached,
    asking::offer,
    held::{in_doubt, repeated},
};

/// The most sessions that are offered to instances at once.
const BATCH: usize = 1_000;

impl Hub {
    /// An instance is about to end: its sessions go to others, in order.
    pub(super) fn fence_all(self: &Rc<Self>, instance: &Arc<Instance>) {
        for session in self.attached.all() {
            if let Some(attached) = session
                .attached()
                .filter(|attached| attached.is_of(instance))
            {
                let is_in = matches!(*attached.state.borrow(), State::In);
                if is_in {
                    attached.state.replace(State::Fenced);
                    // An instance that takes nothing more is left as one that has died.
                    let _ = instance.say(0, &Entry::new("fence").number(attached.handle));
                }
            }
        }
    }

    /// A session's instance has said all that it had to say.
    pub(super) fn released(self: &Rc<Self>, session: &Rc<Session>, attached: &Attached) {
        if !matches!(*attached.state.borrow(), State::Fenced) {
            return self.counters.unheard_entries.add(1);
        }
        self.counters.handovers.add(1);
        let before = attached.instance.take();
        self.wait_for_instance(attached);
        if let Some(before) = before {
            // It has done with the session, and needs not hear of it.
            let _ = before.say(0, &Entry::new("detach").number(attached.handle));
        }
        self.attach_waiting();
        let _ = session;
    }

    /// An instance is not there any more: its sessions go to others with what it has not taken,
    /// and what it has not answered.
    pub(super) fn instance_gone(
        self: &Rc<Self>,
        gone: &Arc<Instance>,
        undelivered: &[Undelivered],
    ) {
        let mut of_session: FxHashMap<u64, Vec<Bytes>> = FxHashMap::default();
        for event in undelivered {
            let entry = if event.sent {
                repeated(&event.entry)
            } else {
                event.entry.clone()
            };
            of_session.entry(event.handle).or_default().push(entry);
        }
        for session in self.attached.all() {
            let Some(attached) = session.attached().filter(|attached| attached.is_of(gone)) else {
                continue;
            };
            attached.instance.take();
            let state = attached.state.replace(State::Waiting);
            match state {
                // Whoever asks is told by the sender that is dropped here, and asks another one.
                State::Asking(_) => continue,
                // The client is about to know that it is connected.
                State::Accepted => {
                    attached.state.replace(State::Accepted);
                    self.attached
                        .unattached
                        .borrow_mut()
                        .push_back(attached.handle);
                    continue;
                }
                State::In | State::Fenced | State::Offered | State::Waiting => {}
            }
            let untaken = of_session.remove(&attached.handle).unwrap_or_default();
            self.hold_again(attached, &untaken);
            self.wait_for_instance(attached);
        }
        self.attach_waiting();
    }

    fn wait_for_instance(&self, attached: &Attached) {
        attached.state.replace(State::Waiting);
        self.attached
            .unattached
            .borrow_mut()
            .push_back(attached.handle);
    }

    /// Offers sessions that have no instance to those that are there.
    pub(super) fn attach_waiting(self: &Rc<Self>) {
        for _ in 0..BATCH {
            let Some(handle) = self.attached.unattached.borrow_mut().pop_front() else {
                return;
            };
            let Some(session) = self.attached.by_handle(handle) else {
                continue;
            };
            let Some(attached) = session.attached() else {
                continue;
            };
            if attached.instance.borrow().is_some() {
                continue;
            }
            let application = self.shared.applications.get(&attached.application);
            let picked = application.and_then(|application| application.pick());
            let Some(instance) = picked else {
                return self.attached.unattached.borrow_mut().push_front(handle);
            };
            if !offer(&session, attached, &instance, Why::Handover) {
                return self.attached.unattached.borrow_mut().push_front(handle);
            }
            attached.state.replace(State::Offered);
            attached.instance.replace(Some(instance));
        }
    }

    /// The next instance has answered.
    pub(super) fn taken_over(
        self: &Rc<Self>,
        session: &Rc<Session>,
        attached: &Attached,
        admission: Admission,
    ) {
        match admission {
            Admission::Accepted(accept) => {
                let now = attached.rooms.borrow().clone();
                let old: Vec<_> = now
                    .iter()
                    .filter(|room| !accept.rooms.contains(room))
                    .cloned()
                    .collect();
                self.leave_rooms(session, &old);
                self.join_rooms(session, &accept.rooms);
                if accept.data.is_some() {
                    *attached.data.borrow_mut() = accept.data;
                }
                attached.state.replace(State::In);
                let doubtful = in_doubt(attached);
                self.let_held_go(session, attached, &doubtful);
            }
            Admission::Refused(_) => {
                attached.state.replace(State::Waiting);
                attached.instance.take();
                self.close_attached(
                    session,
                    sluice_contract::application::Close::default(),
                    None,
                );
            }
        }
    }
}
