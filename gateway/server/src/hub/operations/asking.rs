//! Who is in a room, and what was said there.

use std::{rc::Rc, sync::Arc};

use sluice_policy::Action;
use sluice_rooms::{Message, PresenceMode, Query};

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
        let turns = Rc::clone(session.histories.get_or_init(Rc::default));
        let _turn = turns.lock().await;
        let half = self.policy.borrow().limits.outbound_bytes / 2;
        while session.queued_bytes() > half.saturating_sub(MAX_PAGE) && session.queued_bytes() > 0 {
            if !session.drained().await {
                return Err(Failure::NOT_CONNECTED);
            }
            tokio::task::yield_now().await;
        }
        let settings = room.settings.get();
        let page = self.shared.backbone.history(&room.key, &settings, query);
        let (epoch, mut page) = page.wait().await?;
        let more = cut(
            &mut page.messages,
            query.after.is_some(),
            half.min(MAX_PAGE),
        );
        let messages = page.messages.iter().map(|message| (&**message).into());
        Ok(Success::History {
            messages: messages.collect(),
            epoch: epoch.to_string(),
            truncated: page.truncated,
            more,
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

/// Leaves as many messages as take `most` bytes, and one in any case: the first ones where what
/// comes after a message is asked for, else the last ones. Says whether others are left out.
fn cut(messages: &mut Vec<Arc<Message>>, oldest_first: bool, most: usize) -> bool {
    let mut bytes = 0;
    let mut fits = |message: &&Arc<Message>| {
        let first = bytes == 0;
        bytes += message.size();
        first || bytes <= most
    };
    let all = messages.len();
    if oldest_first {
        let kept = messages.iter().take_while(&mut fits).count();
        messages.truncate(kept);
    } else {
        let kept = messages.iter().rev().take_while(&mut fits).count();
        messages.drain(..all - kept);
    }
    messages.len() < all
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn message(id: &str, bytes: usize) -> Arc<Message> {
        Arc::new(Message {
            room: None,
            event: "m".into(),
            data: "1".repeat(bytes).into(),
            attachments: Vec::new(),
            from: None,
            id: id.into(),
            position: None,
            read: None,
            time: 0,
            except: None,
            accepted: Instant::now(),
        })
    }

    fn ids(messages: &[Arc<Message>]) -> String {
        messages.iter().map(|message| &*message.id).collect()
    }

    #[test]
    fn a_page_ends_where_it_would_be_too_large_and_has_one_message_in_any_case() {
        let all = || ["a", "b", "c"].map(|id| message(id, 10_000)).to_vec();
        for (most, oldest, newest) in [(1, "a", "c"), (25_000, "ab", "bc"), (100_000, "abc", "abc")]
        {
            let mut page = all();
            assert_eq!(cut(&mut page, true, most), oldest != "abc");
            assert_eq!(ids(&page), oldest);
            let mut page = all();
            assert_eq!(cut(&mut page, false, most), newest != "abc");
            assert_eq!(ids(&page), newest);
        }
    }
}
