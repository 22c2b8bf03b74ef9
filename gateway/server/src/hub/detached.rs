//! Sessions that wait for their clients, by who answers for them.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BTreeSet, HashMap, VecDeque},
};

use sluice_rooms::SessionId;
use smallvec::SmallVec;

use crate::holders::Holder;

/// How many sessions may wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Of one holder.
    pub(super) one: usize,
    /// Of all holders together.
    pub(super) all: usize,
}

/// All sessions of a worker that wait. Where too many do, those of whoever leaves most behind go
/// first: what one user or address does is at nobody else's cost.
#[derive(Debug, Default)]
pub(super) struct Detached(RefCell<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// Those of each holder, in the order in which they came, each with its number among all.
    of: HashMap<Holder, VecDeque<(u64, SessionId)>>,
    /// The holders: last is the one with the most sessions, and of those with as many, the one of
    /// which a session waits longest.
    ranks: BTreeSet<Rank>,
    len: usize,
    added: u64,
}

/// How many sessions a holder has, and the number of the first of them.
type Rank = (usize, Reverse<u64>, Holder);

impl Detached {
    /// One more waits. Returns those that go instead, where that makes more than may wait.
    pub(super) fn add(
        &self,
        holder: Holder,
        id: SessionId,
        bounds: Bounds,
    ) -> SmallVec<[SessionId; 1]> {
        let mut waiting = self.0.borrow_mut();
        waiting.added += 1;
        let number = waiting.added;
        waiting.change(holder, |sessions| sessions.push_back((number, id)));
        let mut surplus = SmallVec::new();
        if waiting.count(holder) > bounds.one {
            surplus.extend(waiting.take_first(holder));
        }
        while waiting.len > bounds.all
            && let Some((.., most)) = waiting.ranks.last().copied()
        {
            surplus.extend(waiting.take_first(most));
        }
        surplus
    }

    /// One waits no longer, if it did.
    pub(super) fn remove(&self, holder: Holder, id: SessionId) {
        self.0.borrow_mut().change(holder, |sessions| {
            if let Some(at) = sessions.iter().position(|(_, waits)| *waits == id) {
                sessions.remove(at);
            }
        });
    }

    /// How many wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len
    }
}

impl Waiting {
    fn count(&self, holder: Holder) -> usize {
        self.of.get(&holder).map_or(0, VecDeque::len)
    }

    fn take_first(&mut self, holder: Holder) -> Option<SessionId> {
        self.change(holder, VecDeque::pop_front).map(|(_, id)| id)
    }

    /// Changes which sessions of a holder wait, and its rank with that.
    fn change<T>(
        &mut self,
        holder: Holder,
        change: impl FnOnce(&mut VecDeque<(u64, SessionId)>) -> T,
    ) -> T {
        let sessions = self.of.entry(holder).or_default();
        if let Some(rank) = rank(holder, sessions) {
            self.ranks.remove(&rank);
        }
        self.len -= sessions.len();
        let changed = change(sessions);
        self.len += sessions.len();
        match rank(holder, sessions) {
            Some(rank) => {
                self.ranks.insert(rank);
            }
            None => {
                self.of.remove(&holder);
            }
        }
        changed
    }
}

/// The rank of a holder of these sessions; none without any.
fn rank(holder: Holder, sessions: &VecDeque<(u64, SessionId)>) -> Option<Rank> {
    let (first, _) = sessions.front()?;
    Some((sessions.len(), Reverse(*first), holder))
}

#[cfg(test)]
mod tests {
    use sluice_rooms::Pid;

    use super::*;
    use crate::holders::Holder;

    fn holders() -> [Holder; 3] {
        [1, 2, 3].map(Holder::numbered)
    }

    fn id() -> SessionId {
        Pid::random().session()
    }

    #[test]
    fn whoever_leaves_most_behind_makes_room() {
        let (detached, [ann, bob, cay]) = (Detached::default(), holders());
        let bounds = Bounds { one: 10, all: 4 };
        let ids: Vec<_> = (0..7).map(|_| id()).collect();
        let gone = |holder, at: usize| detached.add(holder, ids[at], bounds).to_vec();
        assert_eq!(gone(ann, 0), []);
        for at in 1..4 {
            assert_eq!(gone(bob, at), []);
        }
        assert_eq!(gone(bob, 4), [ids[1]]);
        assert_eq!(gone(cay, 5), [ids[2]]);
        // Two of Bob's wait, and one each of the others.
        assert_eq!(
            gone(ann, 6),
            [ids[0]],
            "of two that have as many, the oldest"
        );
        assert_eq!(detached.len(), 4);
    }

    #[test]
    fn nobody_has_more_waiting_than_one_may() {
        let (detached, [ann, bob, _]) = (Detached::default(), holders());
        let bounds = Bounds { one: 2, all: 100 };
        let first = id();
        assert!(detached.add(ann, first, bounds).is_empty());
        assert!(detached.add(bob, id(), bounds).is_empty());
        assert!(detached.add(ann, id(), bounds).is_empty());
        assert_eq!(detached.add(ann, id(), bounds).to_vec(), [first]);
    }

    #[test]
    fn who_comes_back_is_forgotten() {
        let (detached, [ann, ..]) = (Detached::default(), holders());
        let bounds = Bounds { one: 2, all: 2 };
        for _ in 0..10 {
            let id = id();
            assert!(detached.add(ann, id, bounds).is_empty());
            detached.remove(ann, id);
            detached.remove(ann, id);
        }
        let waiting = detached.0.borrow();
        assert_eq!(
            (waiting.len, waiting.of.len(), waiting.ranks.len()),
            (0, 0, 0)
        );
    }
}
