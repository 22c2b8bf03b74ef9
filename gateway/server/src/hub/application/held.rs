//! Events that wait for an instance.

use bytes::Bytes;
use rustc_hash::FxHashSet;
use sluice_net::Cause;

use super::{
    super::{Hub, Session, attached::State},
    Attached,
};

/// The most bytes of a session's events that wait for an instance.
const MOST_HELD: usize = 1024 * 1024;

impl Hub {
    /// Says what was held, after what is in doubt, to the session's instance. Where that takes no
    /// more, the client is closed so that it comes back: an event that is left out in silence would
    /// be one that was never sent.
    pub(super) fn let_held_go(&self, session: &Session, attached: &Attached, first: Vec<Bytes>) {
        let held = attached.held.take();
        let mut all = first.into_iter().chain(held.entries);
        while let Some(entry) = all.next() {
            if !say_or_hold(attached, entry.clone()) {
                let left: Vec<_> = std::iter::once(entry).chain(all).collect();
                // They are counted when the session ends.
                hold_again(attached, &left);
                return session.close(Cause::Overloaded);
            }
            self.counters.in_doubt.add(u64::from(is_repeated(&entry)));
        }
    }
}

/// Says an event to the session's instance, or holds it until there is one. False where neither
/// can be.
pub(super) fn say_or_hold(attached: &Attached, entry: Bytes) -> bool {
    let instance = match &*attached.state.borrow() {
        State::In => attached.instance(),
        _ => None,
    };
    if let Some(instance) = instance {
        return instance.say_bytes(attached.handle, entry).is_ok();
    }
    let mut held = attached.held.borrow_mut();
    held.bytes += entry.len();
    held.entries.push_back(entry);
    held.bytes <= MOST_HELD
}

/// Holds what an instance did not take, before what is held already.
pub(super) fn hold_again(attached: &Attached, untaken: &[Bytes]) {
    let mut held = attached.held.borrow_mut();
    for entry in untaken.iter().rev() {
        held.bytes += entry.len();
        held.entries.push_front(entry.clone());
    }
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
