//! Events that wait for an instance.

use std::rc::Rc;

use bytes::Bytes;
use rustc_hash::FxHashSet;

use super::{
    super::{Hub, Session, attached::State},
    Attached,
};

impl Hub {
    /// Says what was held, after what is in doubt, to the session's instance, as far as that takes
    /// it. An event that is left out in silence would be one that was never sent, so the rest stays
    /// held, and the client is not read until it finds place.
    pub(super) fn let_held_go(&self, session: &Session, attached: &Attached, first: &[Bytes]) {
        self.hold_again(attached, first);
        while let Some(entry) = first_held(attached) {
            if !say(attached, &entry) {
                return self.press(session, attached);
            }
            self.counters.in_doubt.add(u64::from(is_repeated(&entry)));
            self.take_first_held(attached);
        }
        self.release_pressure(session, attached);
    }

    /// Says an event to the session's instance, or holds it until that takes it.
    pub(super) fn say_or_hold(&self, session: &Rc<Session>, attached: &Attached, entry: Bytes) {
        let waits = !attached.held.borrow().entries.is_empty();
        if waits || !say(attached, &entry) {
            self.counters.waiting_bytes.add(entry.len() as u64);
            let mut held = attached.held.borrow_mut();
            held.bytes += entry.len();
            held.entries.push_back(entry);
        }
        self.press(session, attached);
    }

    /// Holds what an instance did not take, before what is held already.
    pub(super) fn hold_again(&self, attached: &Attached, untaken: &[Bytes]) {
        let mut held = attached.held.borrow_mut();
        for entry in untaken.iter().rev() {
            self.counters.waiting_bytes.add(entry.len() as u64);
            held.bytes += entry.len();
            held.entries.push_front(entry.clone());
        }
    }

    /// The session has ended: how many events were held.
    pub(super) fn drop_held(&self, attached: &Attached) -> u64 {
        let held = attached.held.take();
        self.counters.waiting_bytes.sub(held.bytes as u64);
        held.entries.len() as u64
    }

    fn take_first_held(&self, attached: &Attached) {
        let mut held = attached.held.borrow_mut();
        if let Some(entry) = held.entries.pop_front() {
            held.bytes -= entry.len();
            self.counters.waiting_bytes.sub(entry.len() as u64);
        }
    }
}

fn first_held(attached: &Attached) -> Option<Bytes> {
    attached.held.borrow().entries.front().cloned()
}

/// Says an event to the session's instance. False where there is none now, or it takes no more.
fn say(attached: &Attached, entry: &Bytes) -> bool {
    let is_in = matches!(*attached.state.borrow(), State::In);
    let instance = is_in.then(|| attached.instance()).flatten();
    instance.is_some_and(|instance| instance.say_bytes(attached.handle, entry.clone()).is_ok())
}

/// The events that an instance took and did not answer, as they are said again.
pub(super) fn in_doubt(attached: &Attached) -> Vec<Bytes> {
    let held = attached.held.borrow();
    let untaken: FxHashSet<u64> = held.entries.iter().filter_map(question_of).collect();
    let unanswered = attached.unanswered.borrow();
    let doubtful = unanswered
        .iter()
        .filter(|(number, _)| !untaken.contains(number));
    doubtful.map(|(_, event)| repeated(&event.entry)).collect()
}

fn line_of(entry: &Bytes) -> &[u8] {
    let end = entry.iter().position(|byte| *byte == b'\n');
    &entry[..end.unwrap_or(entry.len())]
}

/// The number by which the instance was to answer an event; none where nobody waits for that.
fn question_of(entry: &Bytes) -> Option<u64> {
    let line = std::str::from_utf8(line_of(entry)).ok()?;
    line.split(' ').nth(3)?.parse().ok()
}

/// What the first line of an event ends with that may have been handled before.
const REPEATED: &[u8] = b" repeated";

fn is_repeated(entry: &Bytes) -> bool {
    line_of(entry).ends_with(REPEATED)
}

/// An event that may have been handled before, which its first line says.
pub(super) fn repeated(entry: &Bytes) -> Bytes {
    if is_repeated(entry) {
        return entry.clone();
    }
    let line = line_of(entry);
    let mut bytes = Vec::with_capacity(entry.len() + REPEATED.len());
    bytes.extend_from_slice(line);
    bytes.extend_from_slice(REPEATED);
    bytes.extend_from_slice(&entry[line.len()..]);
    bytes.into()
}
