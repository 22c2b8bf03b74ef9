//! Carrying out what clients ask for.

mod asking;
mod joining;
mod joining_again;
mod publishing;

use std::rc::Rc;

use serde::Serialize;
use sluice_net::{Cause, Flow};
use sluice_policy::Action;
use sluice_spans::{brief, failed, span};
use tracing::{Instrument as _, Span};

use super::{Encoded, Hub, Session, room::Room};
use crate::{
    failure::Failure,
    operation::{Content, Operation},
    outcome::{Outcome, Success},
    rules,
};

/// Refusals for being too fast, after which a connection is closed.
const MAX_STRIKES: u16 = 10_000;

/// How many of them a token counts for that was shown to go on with, and was refused.
const BAD_TOKEN: u16 = 100;

/// How many of them a message makes good that was not too fast. Even the fastest client has such
/// messages in between, so one alone must not make good everything.
const FORGIVEN: u16 = 100;

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
            self.answer(&Err(Failure::RATE), answer);
            return flow;
        }
        self.trace_operation(session, &operation);
        match operation {
            Operation::Publish(publish) => self.publish(session, publish, answer),
            Operation::Leave { room } => self.answer(&self.leave(session, &room), answer),
            Operation::Direct { user, content } => {
                self.answer(&self.direct(session, &user, content), answer);
            }
            Operation::Broadcast { content } => {
                self.answer(&self.broadcast(session, content), answer);
            }
            Operation::Presence { room } => self.presence(session, &room, answer),
            Operation::History { room, query } => self.later(session, answer, {
                let (session, room) = (Rc::clone(session), Box::<str>::from(&*room));
                async move |hub| hub.history(&session, &room, query).await
            }),
            Operation::Join { room, from } => self.later(session, answer, {
                let (session, room) = (Rc::clone(session), Box::from(&*room));
                async move |hub| {
                    let span = span!("join", session = %session.id, room = brief(&room));
                    followed(span, hub.join(&session, room, from)).await
                }
            }),
            Operation::Refresh { token } => self.later(session, answer, {
                let (session, token) = (Rc::clone(session), Box::<str>::from(&*token));
                async move |hub| hub.refresh(&session, &token).await
            }),
            Operation::Ping => self.answer(&Ok(Success::Done {}), answer),
            Operation::Emit { content, ack } => {
                let content = owned(content);
                self.later(session, answer, {
                    let session = Rc::clone(session);
                    async move |hub| {
                        let event = brief(&content.event);
                        let span = span!("event", session = %session.id, event);
                        followed(span, hub.emit(&session, content, ack)).await
                    }
                });
            }
        }
        Flow::Continue(())
    }

    /// Answers what is no operation; it counts against the connection's rate like any message.
    pub(crate) fn refuse(
        &self,
        session: &Session,
        failure: Failure,
        answer: impl FnOnce(&Outcome),
    ) -> Flow {
        if let Err(flow) = self.throttle(session) {
            self.answer(&Err(Failure::RATE), answer);
            return flow;
        }
        self.answer(&Err(failure), answer);
        Flow::Continue(())
    }

    /// As [`Self::refuse`], for a message of so many bytes, which is over the bound. To read what is
    /// thrown away costs as much as several messages, so it counts as so many that were too fast.
    pub(crate) fn refuse_oversized(
        &self,
        session: &Session,
        bytes: usize,
        answer: impl FnOnce(&Outcome),
    ) -> Flow {
        let most = self.policy.borrow().limits.payload_bytes;
        self.refuse(session, Failure::oversized(bytes, most), answer)?;
        let times = bytes.checked_div(most).unwrap_or(bytes);
        if strike(session, u16::try_from(times).unwrap_or(u16::MAX)) {
            Flow::Break(Cause::Abuse)
        } else {
            Flow::Continue(())
        }
    }

    pub(crate) fn answer(&self, outcome: &Outcome, answer: impl FnOnce(&Outcome)) {
        if let Err(failure) = outcome {
            self.counters.refused(failure);
        }
        answer(outcome);
    }

    /// Answers behind what was accepted before, where the outcome says how far that reaches.
    fn answer_behind(self: &Rc<Self>, outcome: Outcome, answer: impl FnOnce(&Outcome) + 'static) {
        if !outcome.as_ref().is_ok_and(Success::has_place) {
            return self.answer(&outcome, answer);
        }
        let hub = Rc::clone(self);
        self.turns.behind(move || hub.answer(&outcome, answer));
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
        let most = u16::try_from(self.policy.borrow().limits.in_flight).unwrap_or(u16::MAX);
        if session.in_flight.get() >= most {
            return self.answer(&Err(Failure::IN_FLIGHT), answer);
        }
        session.in_flight.set(session.in_flight.get() + 1);
        let (hub, session, work) = (Rc::clone(self), Rc::clone(session), work(Rc::clone(self)));
        crate::eager::run(work, move |outcome| {
            session.in_flight.set(session.in_flight.get() - 1);
            hub.answer_behind(outcome, answer);
        });
    }

    /// Whether the connection may send one more message now.
    fn throttle(&self, session: &Session) -> Result<(), Flow> {
        let mut bucket = session.bucket.get();
        let fine = bucket.take(self.now_ms(), self.policy.borrow().limits.messages);
        session.bucket.set(bucket);
        if fine {
            let strikes = session.strikes.get().saturating_sub(FORGIVEN);
            session.strikes.set(strikes);
            return Ok(());
        }
        self.counters.throttled.add(1);
        if session.strikes.get() == 0 {
            self.tell_throttled(session);
        }
        Err(if strike(session, 1) {
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

    /// Has a session go on by another token. Each one that is refused takes the connection nearer to
    /// its end.
    async fn refresh(self: Rc<Self>, session: &Rc<Session>, token: &str) -> Outcome {
        self.checks.turn().await;
        if session.ended.get() {
            return Err(Failure::RATE);
        }
        let identity = self.identify(Some(token)).await;
        if identity.is_err() && strike(session, FORGIVEN + BAD_TOKEN) {
            self.end(session, Cause::Abuse);
        }
        let identity = identity?;
        let identity = match session.granted() {
            Some(granted) => identity.until(granted.ends_at()),
            None => identity,
        };
        if *identity.user() != session.user() {
            return Err(Failure::OTHER_USER);
        }
        let expires = identity.expires_at();
        session.identity.replace(identity);
        if !session.ended.get() && !session.is_detached() {
            self.watch_token(session);
        }
        Ok(Success::Refreshed { expires })
    }

    async fn emit(
        self: Rc<Self>,
        session: &Rc<Session>,
        content: Content<'static>,
        expected: bool,
    ) -> Outcome {
        self.counters.events.add(1);
        let backend = &self.shared.backend;
        let answer = backend.event(session.who(), content, expected).await?;
        Ok(Success::Backend {
            data: answer.data,
            attachments: answer.attachments,
        })
    }
}

/// Counts so much against a session. True where that was too much.
fn strike(session: &Session, count: u16) -> bool {
    let strikes = session.strikes.get().saturating_add(count);
    session.strikes.set(strikes);
    strikes > MAX_STRIKES
}

/// Carries out an operation within its span.
async fn followed(span: Span, operation: impl Future<Output = Outcome>) -> Outcome {
    let outcome = operation.instrument(span.clone()).await;
    if let Err(failure) = &outcome {
        failed(&span, failure.counted());
    }
    outcome
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

fn owned(content: Content<'_>) -> Content<'static> {
    Content {
        event: content.event.into_owned().into(),
        data: content.data.into_owned().into(),
        attachments: content.attachments,
    }
}
