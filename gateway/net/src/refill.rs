//! What waits for room in a connection's queue.

use std::{cell::Cell, collections::VecDeque, fmt};

/// Has more to say than may wait at once. It is called when all that was queued is written, with
/// how many bytes it may queue now, roughly, and says whether it has still more. One that has must
/// have queued something.
pub type Refill = Box<dyn FnMut(usize) -> bool>;

/// All that wait for the same queue; they take turns. It owns no memory while nobody waits.
#[derive(Default)]
pub struct Refills(Cell<Option<Box<Waiting>>>);

/// The first one is to have the next turn.
#[derive(Default)]
struct Waiting(VecDeque<Refill>);

impl fmt::Debug for Refills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Refills").field(&self.len()).finish()
    }
}

impl Refills {
    /// One more waits, behind those that do already.
    pub fn add(&self, refill: Refill) {
        let mut all = self.0.take().unwrap_or_default();
        all.0.push_back(refill);
        self.0.set(Some(all));
    }

    /// The one that has waited longest, which no longer does.
    pub fn next(&self) -> Option<Refill> {
        let mut all = self.0.take()?;
        let first = all.0.pop_front();
        if !all.0.is_empty() {
            self.0.set(Some(all));
        }
        first
    }

    /// Lets each have a turn, at most, until `filled` says that something is queued.
    pub fn turn(&self, room: usize, filled: impl Fn() -> bool) {
        for _ in 0..self.len() {
            let Some(mut refill) = self.next() else {
                return;
            };
            if refill(room) {
                self.add(refill);
            }
            if filled() {
                return;
            }
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        let all = self.0.take();
        let len = all.as_ref().map_or(0, |all| all.0.len());
        self.0.set(all);
        len
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Nobody waits any more.
    pub fn clear(&self) {
        self.0.set(None);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    #[test]
    fn those_that_wait_take_turns_until_they_have_no_more() {
        let (refills, said) = (Refills::default(), Rc::new(RefCell::new(Vec::new())));
        for (name, times) in [('a', 2), ('b', 1), ('c', 3)] {
            let (said, mut left) = (Rc::clone(&said), times);
            refills.add(Box::new(move |_| {
                said.borrow_mut().push(name);
                left -= 1;
                left > 0
            }));
        }
        while !refills.is_empty() {
            refills.turn(1, || true);
        }
        assert_eq!(said.borrow().iter().collect::<String>(), "abcacc");
    }

    #[test]
    fn who_has_nothing_to_say_leaves_the_turn_to_the_next_one() {
        let (refills, said) = (Refills::default(), Rc::new(Cell::new(0)));
        for has in [0, 0, 7] {
            let said = Rc::clone(&said);
            refills.add(Box::new(move |_| {
                said.set(has);
                has > 0
            }));
        }
        refills.turn(1, || said.get() > 0);
        assert_eq!((said.get(), refills.len()), (7, 1));
    }
}
