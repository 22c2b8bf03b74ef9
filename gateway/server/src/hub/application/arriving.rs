//! What instances say to sessions of this worker.

use std::{rc::Rc, sync::Arc};

use bytes::Bytes;
use serde_json::value::RawValue;
use sluice_applications::{Arrival, AskedAlone, Emission, Instance, Mark};
use sluice_contract::application::{Close, Entry, Read};
use sluice_net::Cause;

use super::{
    super::{
        Encoded, Hub, Session,
        attached::{Admission, State},
    },
    Attached,
};

/// The most bytes of a session's data.
const MOST_DATA: usize = 16 * 1024;

impl Hub {
    pub(in crate::hub) fn arrived(self: &Rc<Self>, arrivals: Vec<Arrival>) {
        for arrival in arrivals {
            match arrival {
                Arrival::Present(_) => {
                    self.attached.present.notify_waiters();
                    self.attach_waiting();
                }
                Arrival::Said {
                    instance,
                    handle,
                    entry,
                    seq,
                    mark,
                } => {
                    self.attached.seq.set(seq);
                    self.said(&instance, handle, entry, mark);
                }
                Arrival::Claimed(claimed) => self.claimed_attached(&claimed.claim),
                Arrival::Cast(cast) => self.cast(&cast),
                Arrival::Leaving(instance) => self.fence_all(&instance),
                Arrival::Gone(instance, undelivered) => self.instance_gone(&instance, &undelivered),
            }
        }
    }

    fn said(
        self: &Rc<Self>,
        instance: &Arc<Instance>,
        handle: u64,
        entry: Read,
        mark: Option<Mark>,
    ) {
        let session = self.attached.by_handle(handle);
        let session = session.filter(|session| {
            let attached = session.attached();
            attached.is_some_and(|attached| attached.is_of(instance))
        });
        // It has ended, or is attached to another instance by now: this one was told, or will be.
        let Some(session) = session else {
            return self.counters.unheard_entries.add(1);
        };
        let Some(attached) = session.attached() else {
            return;
        };
        match entry.kind() {
            "accept" => self.admitted(
                &session,
                attached,
                Admission::Accepted(entry.json(0).unwrap_or_default()),
            ),
            "refuse" => self.admitted(
                &session,
                attached,
                Admission::Refused(entry.json(0).unwrap_or_default()),
            ),
            "emit" | "close" if !attached.is_connected() => {
                let (hub, instance) = (Rc::clone(self), Arc::clone(instance));
                let again = Rc::clone(&session);
                let bytes = entry.bodies.iter().map(Bytes::len).sum();
                attached.put_off(bytes, move || {
                    if let Some(attached) = again.attached() {
                        hub.do_said(&instance, &again, attached, (&entry, mark));
                    }
                });
            }
            _ => self.do_said(instance, &session, attached, (&entry, mark)),
        }
    }

    fn do_said(
        self: &Rc<Self>,
        instance: &Arc<Instance>,
        session: &Rc<Session>,
        attached: &Attached,
        (entry, mark): (&Read, Option<Mark>),
    ) {
        match entry.kind() {
            "ack" => self.answered(session, attached, entry),
            "emit" => {
                if let Some(mut emission) = Emission::of(entry, 1, 0) {
                    emission.mark = mark;
                    self.emit_alone(instance, session, attached, &emission);
                }
            }
            "join" => drop(self.join_rooms(session, &entry.json::<Vec<_>>(0).unwrap_or_default())),
            "leave" => {
                drop(self.leave_rooms(session, &entry.json::<Vec<_>>(0).unwrap_or_default()));
            }
            "data" => set_data(instance, attached, entry),
            "close" => {
                let close: Close = entry.json(0).unwrap_or_default();
                self.close_attached(session, close, Some(instance));
            }
            "released" => self.released(session, attached),
            _ => {}
        }
    }

    fn admitted(self: &Rc<Self>, session: &Rc<Session>, attached: &Attached, admission: Admission) {
        let state = attached.state.replace(State::Accepted);
        match state {
            State::Asking(sender) => {
                let admitted = match admission {
                    Admission::Accepted(accept) => {
                        self.accepted(session, attached, accept);
                        Ok(())
                    }
                    Admission::Refused(refuse) => {
                        // Who refuses needs not hear that nobody waits any more.
                        attached.instance.take();
                        Err(refuse)
                    }
                };
                // Whoever asked may have stopped waiting.
                let _ = sender.send(admitted);
            }
            State::Offered => self.taken_over(session, attached, admission),
            other => {
                attached.state.replace(other);
                self.counters.unheard_entries.add(1);
            }
        }
    }

    /// The client knows that it is connected: what was said to it before follows.
    pub(in crate::hub) fn connected_attached(&self, session: &Session) {
        let Some(attached) = session.attached() else {
            return;
        };
        let accepted = matches!(*attached.state.borrow(), State::Accepted);
        if accepted {
            attached.state.replace(State::In);
        }
        self.send_missed(session);
        attached.connected.set(true);
        let Some(early) = attached.take_early() else {
            // More than may wait for a client that reads.
            return session.close(Cause::SlowConsumer);
        };
        for early in early {
            early();
        }
        if accepted {
            self.let_held_go(session, attached, &[]);
        }
    }

    fn answered(&self, session: &Session, attached: &Attached, entry: &Read) {
        let number = entry.number(1);
        let unanswered = number.and_then(|number| attached.settle(number));
        let array = entry
            .bodies
            .first()
            .and_then(|body| std::str::from_utf8(body).ok());
        let array = array.filter(|array| sluice_codec::sio::ack_args(array).is_ok());
        match (unanswered, array) {
            (Some(unanswered), Some(array)) => {
                let attachments = entry.bodies.get(1..).unwrap_or_default();
                (unanswered.answer)(array, attachments);
                self.release_pressure(session, attached);
            }
            // A second answer, or to nothing.
            (None, _) => self.counters.unheard_entries.add(1),
            (Some(_), None) => self.counters.unreadable_emissions.add(1),
        }
    }

    fn emit_alone(
        self: &Rc<Self>,
        instance: &Arc<Instance>,
        session: &Rc<Session>,
        attached: &Attached,
        emission: &Emission,
    ) {
        let Some(array) = self.array_of(emission) else {
            return;
        };
        self.counters.deliveries.add(1);
        if let Some(call) = emission.call {
            let (asked, handle) = (AskedAlone::new(instance, call), attached.handle);
            return self.emit_question(session, emission, array, move |args, attachments| {
                asked.answer(handle, args.as_bytes(), &attachments);
            });
        }
        let encoded = Encoded::emitted(
            &session.namespace.name,
            array,
            &emission.attachments,
            emission.mark,
        );
        Self::emit_encoded(session, &encoded, emission.flags.volatile);
    }
}

fn set_data(instance: &Arc<Instance>, attached: &Attached, entry: &Read) {
    let expected = entry.number(1);
    let small = entry
        .bodies
        .first()
        .is_some_and(|body| body.len() <= MOST_DATA);
    let data = entry.json::<Box<RawValue>>(0).filter(|_| small);
    let fits = expected.is_none_or(|rev| rev == attached.rev.get());
    if let (Some(data), true) = (data, fits) {
        attached.rev.set(attached.rev.get() + 1);
        *attached.data.borrow_mut() = Some(data);
        return;
    }
    let data = attached.data.borrow();
    let json = data.as_ref().map_or("null", |data| data.get());
    let entry = Entry::new("data")
        .number(attached.handle)
        .number(attached.rev.get());
    // An instance that takes nothing more loses its sessions, and is told with the next one.
    let _ = instance.say(0, &entry.body(json.as_bytes()));
}
