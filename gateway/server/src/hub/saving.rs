//! Sessions that are kept outside of this process, so that they go on if it dies.

use std::{cell::RefCell, rc::Rc};

use rustc_hash::FxHashMap;
use sluice_backbone::{Error, Stored};
use sluice_rooms::SessionId;
use tokio::sync::Notify;

use super::{Hub, Session};

/// The saves of sessions that are under way.
pub(super) type Saves = RefCell<FxHashMap<SessionId, Rc<Notify>>>;

impl Hub {
    /// Has the session kept as it is now. One save at a time is under way for each session; what
    /// changes meanwhile is in the next one.
    pub(super) async fn save(&self, session: &Session) -> Result<(), Error> {
        if !self.is_worth_saving() || session.attached().is_some() {
            return Ok(());
        }
        session.unsaved.set(true);
        while !session.ended.get() {
            let under_way = self.saves.borrow().get(&session.id).cloned();
            match under_way {
                // Whoever saved before may be saving this change as well.
                None if !session.unsaved.get() => break,
                Some(save) => save.notified().await,
                None => self.save_once(session).await?,
            }
        }
        Ok(())
    }

    async fn save_once(&self, session: &Session) -> Result<(), Error> {
        let done = Rc::new(Notify::new());
        let under_way = Rc::clone(&done);
        self.saves.borrow_mut().insert(session.id, under_way);
        session.unsaved.set(false);
        let stored = self.shared.backbone.store(session.stored()).wait().await;
        self.saves.borrow_mut().remove(&session.id);
        done.notify_waiters();
        stored
    }

    /// As [`Self::save`], for a change that nobody waits for.
    pub(super) fn save_soon(self: &Rc<Self>, session: &Rc<Session>) {
        if self.is_worth_saving() {
            let (hub, session) = (Rc::clone(self), Rc::clone(session));
            // What cannot be stored now is stored again once the backbone is back.
            crate::eager::run(async move { hub.save(&session).await }, drop);
        }
    }

    /// Saves every session.
    pub(super) fn save_all(self: &Rc<Self>) {
        let sessions: Vec<_> = self.sessions.borrow().values().cloned().collect();
        for session in &sessions {
            self.save_soon(session);
        }
    }

    /// Whether a session that loses its connection is kept for its client.
    pub(crate) fn is_recoverable(&self, session: &Session) -> bool {
        if let Some(attached) = session.attached() {
            let application = self.shared.applications.get(&attached.application);
            return application.is_some_and(|application| application.recovers());
        }
        !self.policy.borrow().recovery_window.is_zero()
    }

    fn is_worth_saving(&self) -> bool {
        self.shared.backbone.outlives_process() && !self.policy.borrow().recovery_window.is_zero()
    }
}

impl Session {
    fn stored(&self) -> Stored {
        Stored {
            came: self.came(),
            session: self.id,
            user: self.user(),
            namespace: std::sync::Arc::clone(&self.namespace.name),
            rooms: self.record_rooms(),
            caught_up: self.caught_up_rooms(),
        }
    }
}
