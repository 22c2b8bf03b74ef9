//! A member that joins once more.
//!
//! All that came since its messages began was sent to it, or is about to be, and none of it may come
//! twice: a client whose join was cut off by the loss of its connection, and whose session is
//! recovered, does not know that it is a member. What it lacks is only what lies between the message
//! that it goes on after and where its messages began.

use std::rc::Rc;

use sluice_backbone::{Error, Joined};

use super::joining::{is_epoch, joined_answer};
use crate::{
    failure::Failure,
    hub::{Hub, Session, room::Room},
    operation::JoinOptions,
    outcome::Outcome,
};

impl Hub {
    pub(super) async fn join_again(
        &self,
        session: &Rc<Session>,
        room: &Rc<Room>,
        options: JoinOptions,
    ) -> Outcome {
        let joined = self.subscribe(room).await?;
        let Some(after) = options.after else {
            let joined = sent(session, room, joined);
            return Ok(joined_answer(room, &joined, None));
        };
        let same = is_epoch(joined.epoch, options.epoch.as_deref());
        let (joined, complete) = if same && room.settings.get().history.is_some() {
            self.complete_from(session, room, joined, after).await?
        } else {
            (joined, false)
        };
        if !complete {
            self.counters.not_recovered(Error::Gone);
        }
        let joined = sent(session, room, joined);
        let joined = Joined {
            offset: joined.offset.max(after),
            ..joined
        };
        Ok(joined_answer(room, &joined, Some(complete)))
    }

    /// Sends what lies between a message and where a member's messages began. Says how far it has
    /// been sent the room's messages, and whether all of them.
    async fn complete_from(
        &self,
        session: &Rc<Session>,
        room: &Rc<Room>,
        joined: Joined,
        after: u64,
    ) -> Result<(Joined, bool), Failure> {
        let from = session.joined_at(room).ok_or(Failure::NOT_MEMBER)?;
        if from <= after {
            return Ok((joined, true));
        }
        let mut missed = match self.missed_in(session, room, after).await {
            Ok(missed) => missed,
            Err(Error::Gone) => return Ok((joined, false)),
            Err(error) => return Err(error.into()),
        };
        let offset = missed.through.first().copied().unwrap_or(joined.offset);
        let joined = Joined { offset, ..joined };
        missed.messages.retain(|message| message.offset() <= from);
        let fits = missed.messages.is_empty() || self.fits(session, &missed);
        if fits {
            session.send_older(missed, offset);
        }
        Ok((joined, fits))
    }
}

/// Where a member's messages are now: before the first of the room that waits to be sent to it, which
/// may lie before where they began where its session has just gone on, and else not before that.
fn sent(session: &Session, room: &Rc<Room>, joined: Joined) -> Joined {
    let before = session
        .replay()
        .and_then(|replay| replay.begins_after(&room.key));
    let began = session.joined_at(room).unwrap_or(0);
    Joined {
        offset: before.unwrap_or_else(|| joined.offset.max(began)),
        ..joined
    }
}
