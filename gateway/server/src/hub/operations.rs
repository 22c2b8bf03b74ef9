//! Carrying out what clients ask for.

use std::{rc::Rc, sync::Arc, time::Instant};

use serde::{Deserialize, Serialize};
use sluice_backbone::{Bookmark, Command, Joined, Publication, Target};
use sluice_net::{Cause, Flow};
use sluice_policy::Action;
use sluice_rooms::{Epoch, Message, PresenceMode, Query};

use super::{Encoded, Hub, Session, namespace::Namespace, room::Room};
use crate::{
    answer::{Answer, Outcome},
    failure::Failure,
    operation::{Content, JoinOptions, Operation, Publish},
    rules,
    shared::unix_now_ms,
};

/// The most users that `presence` lists; the count is always of all.
const MAX_LISTED: usize = 1_000;

/// Refusals in a row for being too fast, after which a connection is closed.
const MAX_STRIKES: u16 = 10_000;

impl Hub {
    /// Carries out an operation and calls `answer` with its result, before this returns unless
    /// something has to be waited for.
    pub(crate) fn perform(
        self: &Rc<Self>,
        session: &Rc<Session>,
        operation: Operation<'_>,
        answer: impl FnOnce(&Outcome) + 'static,
    ) -> Flow {
        if let Err(flow) = self.throttle(session) {
            self.counters.failed(&Failure::RATE.code);
            answer(&Err(Failure::RATE));
            return flow;
        }
        match operation {
            Operation::Publish(publish) => self.publish(session, publish, answer),
            Operation::Leave { room } => self.answer(&self.leave(session, &room), answer),
            Operation::Direct { user, content } => {
                self.answer(&Ok(self.direct(session, &user, content)), answer);
            }
            Operation::Broadcast { content } => {
                self.answer(&self.broadcast(session, content), answer);
            }
            Operation::Presence { room } => self.presence(session, &room, answer),
            Operation::History { room, query } => self.history(session, &room, query, answer),
            Operation::Join { room, from } => self.later(session, answer, {
                let (session, room) = (Rc::clone(session), Box::from(&*room));
                async move |hub| hub.join(&session, room, from).await
            }),
            Operation::Refresh { token } => self.later(session, answer, {
                let (session, token) = (Rc::clone(session), Box::<str>::from(&*token));
                async move |hub| hub.refresh(&session, &token).await
            }),
            Operation::Emit { content, ack } => {
                let content = owned(content);
                self.later(session, answer, {
                    let session = Rc::clone(session);
                    async move |hub| hub.emit(&session, content, ack).await
                });
            }
        }
        Flow::Continue(())
    }

    fn answer(&self, outcome: &Outcome, answer: impl FnOnce(&Outcome)) {
        if let Err(failure) = outcome {
            self.counters.failed(&failure.code);
        }
        answer(outcome);
    }

    /// Runs what may have to wait: at once as far as it goes, the rest on a task of its own.
    fn later<F>(
        self: &Rc<Self>,
        session: &Rc<Session>,
        answer: impl FnOnce(&Outcome) + 'static,
        work: impl FnOnce(Rc<Self>) -> F,
    ) where
        F: Future<Output = Outcome> + 'static,
    {
        let most = self.policy().limits.in_flight;
        if u32::from(session.in_flight.get()) >= most {
            return self.answer(&Err(Failure::IN_FLIGHT), answer);
        }
        session.in_flight.set(session.in_flight.get() + 1);
        let (hub, session, work) = (Rc::clone(self), Rc::clone(session), work(Rc::clone(self)));
        crate::eager::run(work, move |outcome| {
            session.in_flight.set(session.in_flight.get() - 1);
            hub.answer(&outcome, answer);
        });
    }

    /// Whether the connection may send one more message now.
    fn throttle(&self, session: &Session) -> Result<(), Flow> {
        let mut bucket = session.bucket.get();
        let fine = bucket.take(self.now_ms(), self.policy.borrow().limits.messages);
        session.bucket.set(bucket);
        if fine {
            session.strikes.set(0);
            return Ok(());
        }
        self.counters.throttled.add(1);
        let strikes = session.strikes.get().saturating_add(1);
        session.strikes.set(strikes);
        if strikes == 1 {
            self.tell_throttled(session);
        }
        Err(if strikes > MAX_STRIKES {
            Flow::Break(Cause::Abuse)
        } else {
            Flow::Continue(())
        })
    }

    fn tell_throttled(&self, session: &Session) {
        #[derive(Serialize)]
        struct Throttled {
            #[serde(rename = "messagesPerSecond")]
            messages_per_second: u32,
        }
        let messages_per_second = self.policy.borrow().limits.messages.events();
        let data = Throttled {
            messages_per_second,
        };
        let _ = session.send(&Encoded::own(&session.namespace.name, "throttled", &data));
    }

    async fn join(
        self: Rc<Self>,
        session: &Rc<Session>,
        room: Box<str>,
        options: JoinOptions,
    ) -> Outcome {
        let room = self.room(&session.namespace, &room)?;
        may(Action::Join, session, &room)?;
        if session.is_in(&room) {
            if options.after.is_none() {
                let joined = self.subscribe(&room).await?;
                return Ok(joined_answer(&room, joined.epoch, joined.offset, None));
            }
            self.leave(session, &room.key.name)?;
        }
        let joined = self.admit_quietly(session, &room).await?;
        let Some(after) = options.after else {
            room.add(session, joined.offset);
            return Ok(joined_answer(&room, joined.epoch, joined.offset, None));
        };
        let same = options
            .epoch
            .is_none_or(|epoch| Epoch::parse(&epoch) == Some(joined.epoch));
        let bookmark = Bookmark {
            room: room.key.clone(),
            settings: room.settings.get(),
            after,
        };
        let missed = self
            .shared
            .backbone
            .missed(&[bookmark], session.id)
            .wait()
            .await;
        let Some(missed) = missed
            .ok()
            .filter(|_| same && room.settings.get().history.is_some())
        else {
            self.counters.recovery_gone.add(1);
            room.add(session, joined.offset);
            return Ok(joined_answer(
                &room,
                joined.epoch,
                joined.offset,
                Some(false),
            ));
        };
        self.counters.recovered.add(1);
        room.add(session, missed.through);
        for message in missed.messages {
            session.send_or_close(&Encoded::message(&session.namespace.name, message));
        }
        Ok(joined_answer(
            &room,
            joined.epoch,
            missed.through,
            Some(true),
        ))
    }

    /// Makes a session a member, whatever the room's access rules.
    pub(super) async fn admit(
        self: &Rc<Self>,
        session: &Rc<Session>,
        room: &Rc<Room>,
    ) -> Result<(), Failure> {
        if !session.is_in(room) {
            let joined = self.admit_quietly(session, room).await?;
            room.add(session, joined.offset);
        }
        Ok(())
    }

    /// All of a join but the member's place among those who get messages.
    async fn admit_quietly(&self, session: &Session, room: &Rc<Room>) -> Result<Joined, Failure> {
        let most = self.policy().limits.joins_per_connection as usize;
        if session.rooms.borrow().len() >= most {
            return Err(Failure::TOO_MANY_ROOMS);
        }
        let joined = self.subscribe(room).await?;
        let settings = room.settings.get();
        let member = self
            .shared
            .backbone
            .join(&room.key, &session.user(), &settings);
        if let Err(error) = member.wait().await {
            self.unsubscribe_if_empty(room);
            return Err(error.into());
        }
        self.counters.memberships.add(1);
        Ok(joined)
    }

    pub(super) async fn subscribe(&self, room: &Room) -> Result<Joined, sluice_backbone::Error> {
        let settings = room.settings.get();
        let worker = self.worker.index();
        self.shared
            .backbone
            .subscribe(worker, &room.key, &settings)
            .wait()
            .await
    }

    pub(super) fn leave(&self, session: &Session, room: &str) -> Outcome {
        let mut rooms = session.rooms.borrow_mut();
        let at = rooms.iter().position(|m| *m.room.key.name == *room);
        let membership = rooms.swap_remove(at.ok_or(Failure::NOT_MEMBER)?);
        drop(rooms);
        self.leave_room(session, &membership.room, membership.index.get());
        Ok(Answer::Done {})
    }

    fn publish(
        self: &Rc<Self>,
        session: &Rc<Session>,
        publish: Publish<'_>,
        answer: impl FnOnce(&Outcome) + 'static,
    ) {
        let publication = match self.publication(session, publish) {
            Ok(publication) => publication,
            Err(failure) => return self.answer(&Err(failure), answer),
        };
        let hub = Rc::clone(self);
        self.shared
            .backbone
            .publish(publication)
            .then(move |receipt| {
                let outcome = receipt.map_err(Failure::from).map(|receipt| {
                    let counter = &hub.counters;
                    if receipt.duplicate {
                        counter.duplicates.add(1);
                    } else {
                        counter.published.add(1);
                    }
                    let offset = receipt.position.map(|position| position.offset);
                    Answer::Published {
                        id: receipt.id,
                        offset,
                    }
                });
                hub.answer(&outcome, answer);
            });
    }

    /// Checks all that a room asks of a message.
    fn publication(&self, session: &Session, publish: Publish<'_>) -> Result<Publication, Failure> {
        let room = self.room(&session.namespace, &publish.room)?;
        let policy = room.policy.borrow();
        rules::may(
            &policy,
            Action::Publish,
            &session.identity.borrow(),
            &room.key,
        )?;
        rules::validate(&policy, &publish.content.event, &publish.content.data)?;
        let Content {
            event,
            data,
            attachments,
        } = publish.content;
        let identity = session.identity.borrow();
        Ok(Publication {
            room: room.key.clone(),
            settings: room.settings.get(),
            event: event.into(),
            data: data.into(),
            attachments,
            from: (!identity.is_anonymous()).then(|| Arc::clone(identity.user())),
            id: publish.id,
            except: (!publish.echo).then_some(session.id),
        })
    }

    fn direct(&self, session: &Session, user: &str, content: Content<'_>) -> Answer {
        let namespace = Some(Arc::clone(&session.namespace.name));
        let message = Arc::new(message(session, content));
        let target = Target::User(user.into());
        drop(
            self.shared
                .backbone
                .command(Command::Send(target, namespace, message)),
        );
        Answer::Done {}
    }

    fn broadcast(&self, session: &Session, content: Content<'_>) -> Outcome {
        if !may_broadcast(session.identity.borrow().claims()) {
            return Err(Failure::BROADCAST_DENIED);
        }
        let namespace = Some(Arc::clone(&session.namespace.name));
        let message = Arc::new(message(session, content));
        drop(
            self.shared
                .backbone
                .command(Command::Send(Target::Everyone, namespace, message)),
        );
        Ok(Answer::Done {})
    }

    fn presence(
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
                    .map(|members| Answer::Members {
                        users: members.users,
                        count: members.count,
                    })
                    .map_err(Failure::from);
                hub.answer(&outcome, answer);
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

    fn history(
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
            .history(&room.key, query)
            .then(move |page| {
                let outcome = page
                    .map_err(Failure::from)
                    .map(|(epoch, page)| Answer::History {
                        messages: page
                            .messages
                            .iter()
                            .map(|message| (&**message).into())
                            .collect(),
                        epoch: epoch.to_string(),
                        truncated: page.truncated,
                    });
                hub.answer(&outcome, answer);
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

    async fn refresh(self: Rc<Self>, session: &Rc<Session>, token: &str) -> Outcome {
        let identity = self.identify(Some(token)).await?;
        if *identity.user() != session.user() {
            return Err(Failure::new(
                "token_other_user",
                "the new token is another user's; open a new connection for another user",
            ));
        }
        let expires = identity.expires_at();
        *session.identity.borrow_mut() = identity;
        self.watch_token(session);
        Ok(Answer::Refreshed { expires })
    }

    async fn emit(
        self: Rc<Self>,
        session: &Rc<Session>,
        content: Content<'static>,
        expected: bool,
    ) -> Outcome {
        self.counters.events.add(1);
        let answer = self
            .shared
            .backend
            .event(session.who(), content, expected)
            .await?;
        Ok(Answer::Backend {
            data: answer.data,
            attachments: answer.attachments,
        })
    }
}

/// Whether a session's claims let it do something in a room.
pub(super) fn may(action: Action, session: &Session, room: &Room) -> Result<(), Failure> {
    rules::may(
        &room.policy.borrow(),
        action,
        &session.identity.borrow(),
        &room.key,
    )
}

fn message(session: &Session, content: Content<'_>) -> Message {
    let identity = session.identity.borrow();
    Message {
        room: None,
        event: content.event.into(),
        data: content.data.into(),
        attachments: content.attachments,
        from: (!identity.is_anonymous()).then(|| Arc::clone(identity.user())),
        id: format!("{:016x}", rand::random::<u64>()).into(),
        position: None,
        time: unix_now_ms(),
        except: None,
        accepted: Instant::now(),
    }
}

fn owned(content: Content<'_>) -> Content<'static> {
    Content {
        event: content.event.into_owned().into(),
        data: content.data.into_owned().into(),
        attachments: content.attachments,
    }
}

/// Whether the claims have `sluice.broadcast: true`.
fn may_broadcast(claims: &str) -> bool {
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Sluice {
        broadcast: bool,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Claims {
        sluice: Sluice,
    }
    serde_json::from_str::<Claims>(claims).is_ok_and(|claims| claims.sluice.broadcast)
}

fn joined_answer(room: &Room, epoch: Epoch, offset: u64, recovered: Option<bool>) -> Answer {
    let epoch = room.settings.get().history.map(|_| epoch.to_string());
    Answer::Joined {
        room: Arc::clone(&room.key.name),
        epoch,
        offset,
        recovered,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_claim_lets_a_user_broadcast() {
        assert!(may_broadcast(r#"{"sub":"a","sluice":{"broadcast":true}}"#));
        for claims in [
            "{}",
            r#"{"sluice":{}}"#,
            r#"{"sluice":{"broadcast":"true"}}"#,
            "[]",
            "",
        ] {
            assert!(!may_broadcast(claims), "{claims}");
        }
    }
}
