//! What clients do, to the instance that their sessions are attached to.

use std::{ops::ControlFlow, rc::Rc};

use bytes::Bytes;
use sluice_contract::application::Entry;
use sluice_net::{Cause, Flow};

use super::{
    super::{
        Hub, Session,
        attached::{Answer, Unanswered},
    },
    pacing::has_place,
};

const GO_ON: Flow = ControlFlow::Continue(());

impl Hub {
    /// A client emits an event: `array` is its name and arguments as one JSON array. It waits for
    /// an answer if there is an `answer` to call with it.
    pub(crate) fn event_for_application(
        self: &Rc<Self>,
        session: &Rc<Session>,
        array: &str,
        attachments: &[Bytes],
        answer: Option<Answer>,
    ) -> Flow {
        let Some(attached) = session.attached() else {
            return GO_ON;
        };
        self.counters.application_events.add(1);
        let number = answer.is_some().then(|| {
            let number = attached.last_question.get() + 1;
            attached.last_question.set(number);
            number
        });
        let entry = Entry::new("event").number(attached.handle).maybe(number);
        let entry = entry.body(array.as_bytes()).bodies(attachments);
        let mut bytes = Vec::with_capacity(array.len() + 64);
        entry.write(&mut bytes);
        let entry = Bytes::from(bytes);
        if let (Some(number), Some(answer)) = (number, answer) {
            let unanswered = Unanswered {
                entry: entry.clone(),
                answer,
            };
            attached.owe(number, unanswered);
        }
        self.say_or_hold(session, attached, entry);
        if has_place(attached) {
            GO_ON
        } else {
            // What was held and is lost with the session is told by its end.
            ControlFlow::Break(Cause::Overloaded)
        }
    }
}
