//! What backends have done to sessions.

use std::{rc::Rc, sync::Arc};

use serde::Serialize;
use sluice_backbone::{Command, Gather, Target};
use sluice_net::Cause;

use super::{Encoded, Hub, Session};

impl Hub {
    pub(super) fn command(self: &Rc<Self>, command: &Command, gather: Gather<u64>) {
        let sessions = self.targets(command.target());
        let done = match command {
            Command::Send(_, namespace, message) => {
                let wanted = |session: &&Rc<Session>| {
                    let own = &session.namespace.name;
                    let here = namespace.as_ref().is_none_or(|namespace| namespace == own);
                    here && !session.is_detached()
                };
                self.send_to(sessions.iter().filter(wanted), message)
            }
            Command::Disconnect(_, reason) => {
                tracing::info!(sessions = sessions.len(), %reason, "a backend disconnects sessions");
                self.close_all(&sessions, Cause::Disconnected)
            }
            Command::Revoke(_, issued_before) => self.revoke(&sessions, *issued_before),
            Command::Leave(_, room) => sessions
                .iter()
                .filter(|session| self.leave(session, room).is_ok())
                .count() as u64,
            Command::Join(_, room) => return self.join_all(sessions, Arc::clone(room), gather),
        };
        gather.add(done);
    }

    fn targets(&self, target: &Target) -> Vec<Rc<Session>> {
        let sessions = self.sessions.borrow();
        match target {
            Target::User(user) => self
                .users
                .borrow()
                .get(user)
                .map(|all| all.to_vec())
                .unwrap_or_default(),
            Target::Session(id) => sessions.get(id).cloned().into_iter().collect(),
            Target::Token(token) => {
                let owns = |session: &&Rc<Session>| {
                    session
                        .identity
                        .borrow()
                        .token_id()
                        .is_some_and(|id| id == token)
                };
                sessions.values().filter(owns).cloned().collect()
            }
            Target::Everyone => sessions
                .values()
                .filter(|s| !s.is_detached())
                .cloned()
                .collect(),
        }
    }

    /// Sends a message that belongs to no room; one encoding serves each namespace.
    fn send_to<'a>(
        &self,
        sessions: impl Iterator<Item = &'a Rc<Session>>,
        message: &Arc<sluice_rooms::Message>,
    ) -> u64 {
        let mut encodings: Vec<(Arc<str>, Encoded)> = Vec::new();
        let mut sent = 0;
        for session in sessions {
            let own = &session.namespace.name;
            let at = encodings
                .iter()
                .position(|(name, _)| name == own)
                .unwrap_or_else(|| {
                    let encoded = Encoded::message(own, Arc::clone(message));
                    encodings.push((Arc::clone(own), encoded));
                    encodings.len() - 1
                });
            session.send_or_close(&encodings[at].1);
            sent += 1;
        }
        self.counters.deliveries.add(sent);
        if sent > 0 {
            self.owe_observation(message.accepted);
        }
        sent
    }

    fn close_all(&self, sessions: &[Rc<Session>], cause: Cause) -> u64 {
        for session in sessions {
            if session.is_detached() {
                self.end_detached(session);
            } else {
                self.end(session, cause);
            }
        }
        sessions.len() as u64
    }

    /// Ends a connected session for good.
    pub(super) fn end(&self, session: &Rc<Session>, cause: Cause) {
        session.close(cause);
        self.disconnected(session, cause);
    }

    fn revoke(&self, sessions: &[Rc<Session>], issued_before: Option<u64>) -> u64 {
        #[derive(Serialize)]
        struct Revoked {
            reason: &'static str,
        }
        let revoked: Vec<_> = sessions
            .iter()
            .filter(|s| issued_before.is_none_or(|at| s.identity.borrow().issued_at() <= at))
            .cloned()
            .collect();
        for session in &revoked {
            let data = Revoked {
                reason: "the token was revoked",
            };
            let _ = session.send(&Encoded::own(&session.namespace.name, "revoked", &data));
        }
        self.close_all(&revoked, Cause::Revoked)
    }

    fn join_all(self: &Rc<Self>, sessions: Vec<Rc<Session>>, room: Arc<str>, gather: Gather<u64>) {
        let hub = Rc::clone(self);
        let work = async move {
            let mut joined = 0;
            for session in sessions.iter().filter(|session| !session.is_detached()) {
                let Ok(room) = hub.room(&session.namespace, &room) else {
                    continue;
                };
                joined += u64::from(hub.admit(session, &room).await.is_ok());
            }
            joined
        };
        crate::eager::run(work, move |joined| gather.add(joined));
    }
}
