//! Who is in a room, and what was said there.

use std::rc::Rc;

use sluice_policy::Action;
use sluice_rooms::{PresenceMode, Query};

use super::may;
use crate::{
    failure::Failure,
    hub::{Hub, Session, namespace::Namespace, room::Room},
    outcome::{Outcome, Success},
};

/// The most users that `presence` lists; the count is always of all.
const MAX_LISTED: usize = 1_000;

impl Hub {
    pub(super) fn presence(
        self: &Rc<Self>,
        session: &Session,
        room: &str,
        answer: impl FnOnce(&Outcome) + 'static,
    ) {
        let room = match self.presence_room(&session.namespace, session, room) {
            Ok(room) => room,
            Err(failure) => return self.answer(&Err(failure), answer),
        };
        let hub = Rc::clone(self);
        self.shared
            .backbone
            .members(&room.key, MAX_LISTED)
            .then(move |members| {
                let outcome = members
                    .map(|members| Success::Members {
                        users: members.users,
                        count: members.count,
                    })
                    .map_err(Failure::from);
                hub.answer_behind(outcome, answer);
            });
    }

    fn presence_room(
        &self,
        namespace: &Namespace,
        session: &Session,
        room: &str,
    ) -> Result<Rc<Room>, Failure> {
        let room = self.room(namespace, room)?;
        if room.settings.get().presence == PresenceMode::Off {
            return Err(Failure::PRESENCE_OFF);
        }
        may(Action::Presence, session, &room)?;
        Ok(room)
    }

    pub(super) fn history(
        self: &Rc<Self>,
        session: &Session,
        room: &str,
        query: Query,
        answer: impl FnOnce(&Outcome) + 'static,
    ) {
        let room = match self.history_room(session, room) {
            Ok(room) => room,
            Err(failure) => return self.answer(&Err(failure), answer),
        };
        let hub = Rc::clone(self);
        self.shared
            .backbone
            .history(&room.key, &room.settings.get(), query)
            .then(move |page| {
                let outcome = page
                    .map_err(Failure::from)
                    .map(|(epoch, page)| Success::History {
                        messages: page
                            .messages
                            .iter()
                            .map(|message| (&**message).into())
                            .collect(),
                        epoch: epoch.to_string(),
                        truncated: page.truncated,
                    });
                hub.answer_behind(outcome, answer);
            });
    }

    fn history_room(&self, session: &Session, room: &str) -> Result<Rc<Room>, Failure> {
        let room = self.room(&session.namespace, room)?;
        may(Action::History, session, &room)?;
        if room.settings.get().history.is_none() {
            return Err(sluice_backbone::Error::NoHistory.into());
        }
        Ok(room)
    }
}
