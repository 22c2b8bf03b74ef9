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

/// How many bytes of messages go into one answer, roughly: what takes a worker so long that others
/// do not notice.
const MAX_PAGE: usize = 256 * 1024;

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

    /// Messages of a room's history, as many as go into one answer. They are looked up once the
    /// client has room for them, one call of a session at a time.
    pub(super) async fn history(
        self: Rc<Self>,
        session: &Session,
        room: &str,
        query: Query,
    ) -> Outcome {
        let room = self.history_room(session, room)?;
        let turns = session.histories();
        let _turn = turns.lock().await;
        let half = self.policy.borrow().limits.outbound_bytes / 2;
        while session.queued_bytes() > half.saturating_sub(MAX_PAGE) && session.queued_bytes() > 0 {
            if !session.drained().await {
                return Err(Failure::NOT_CONNECTED);
            }
            tokio::task::yield_now().await;
        }
        let settings = room.settings.get();
        let query = Query {
            max_bytes: Some(half.min(MAX_PAGE)),
            ..query
        };
        let page = self.shared.backbone.history(&room.key, &settings, query);
        let (epoch, page) = page.wait().await?;
        let messages = page.messages.iter().map(|message| (&**message).into());
        Ok(Success::History {
            messages: messages.collect(),
            epoch: epoch.to_string(),
            truncated: page.truncated,
            more: page.more,
        })
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
