//! A drain, on one worker.

use std::rc::Rc;

use serde::Serialize;
use sluice_net::Cause;

use super::{Encoded, Hub, Session};
use crate::inboxes::{Closed, Move};

impl Hub {
    /// Tells every client that the gateway drains, and how soon its connection ends.
    pub(super) fn notify(&self, reason: &'static str, within_ms: u64) {
        #[derive(Serialize)]
        struct Drain {
            reason: &'static str,
            within: u64,
        }
        for namespace in self.namespaces.borrow().values() {
            let drain = Drain {
                reason,
                within: within_ms,
            };
            let encoded = Encoded::own(&namespace.name, "drain", &drain);
            for session in self.sessions.borrow().values() {
                if Rc::ptr_eq(&session.namespace, namespace) {
                    // A client that is slow now learns it from the close.
                    let _ = session.send(&encoded);
                }
            }
        }
    }

    /// Closes up to so many connections, those that have nothing waiting first.
    ///
    /// They are put in order once, and again when all of them had their turn: a connection that
    /// takes its time to end must not be closed again in the place of another.
    pub(super) fn move_some(&self, batch: Move) -> Closed {
        let open = self.connected();
        let mut closed = 0;
        let mut turns = self.to_move.borrow_mut();
        if turns.is_empty() && batch.most > 0 && open > 0 {
            *turns = self.in_moving_order();
        }
        while closed < batch.most
            && let Some(session) = turns.pop()
        {
            if !session.is_detached() {
                session.close(batch.cause);
                closed += 1;
            }
        }
        Closed {
            closed,
            left: open.saturating_sub(closed),
        }
    }

    /// Sessions that have a connection.
    fn connected(&self) -> usize {
        let counters = &self.counters;
        counters
            .sessions
            .get()
            .saturating_sub(counters.detached.get()) as usize
    }

    /// All connected sessions; the last one is the first to go.
    fn in_moving_order(&self) -> Vec<Rc<Session>> {
        let sessions = self.sessions.borrow();
        let open = sessions.values().filter(|session| !session.is_detached());
        let mut open: Vec<_> = open.cloned().collect();
        open.sort_by_cached_key(|session| std::cmp::Reverse(session.queued_bytes()));
        open
    }

    /// Closes whatever is left at the end of a drain, sessions or not.
    pub(super) fn move_rest(&self) {
        self.to_move.take();
        let left = self.in_moving_order();
        for session in &left {
            session.close(Cause::Drain);
        }
        if let Some(hook) = &*self.on_drained.borrow() {
            hook();
        }
    }
}
