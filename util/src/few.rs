//! A list that mostly has one item.

use std::{
    iter::Chain,
    mem::take,
    ops::{Deref, DerefMut},
    option, slice, vec,
};

/// A list that has its only item in place, and takes memory of its own for more than one. It is as
/// large as an item where that has a niche, such as a pointer, beside room for one; so it suits what
/// there are very many of, with one item each.
///
/// ```
/// use std::rc::Rc;
/// use sluice_util::Few;
///
/// let mut rooms = Few::default();
/// rooms.push((Rc::new("lobby"), 7));
/// assert_eq!(size_of_val(&rooms), size_of::<(Rc<&str>, i64)>());
/// rooms.push((Rc::new("hall"), 9));
/// assert_eq!(rooms.iter().map(|(_, offset)| offset).sum::<i64>(), 16);
/// ```
#[derive(Debug)]
pub struct Few<T>(Items<T>);

#[derive(Debug)]
enum Items<T> {
    One(T),
    Others(Option<Box<Others<T>>>),
}

#[derive(Debug)]
struct Others<T>(Vec<T>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Items::Others(None))
    }
}

impl<T> Few<T> {
    /// Adds an item behind the others.
    pub fn push(&mut self, item: T) {
        self.0 = match take(self).0 {
            Items::Others(None) => Items::One(item),
            Items::One(first) => Items::others(vec![first, item]),
            Items::Others(Some(mut others)) => {
                others.0.push(item);
                Items::Others(Some(others))
            }
        };
    }

    /// Takes the item at `at` out; those behind it move up. None where there is no such item.
    pub fn remove(&mut self, at: usize) -> Option<T> {
        match &mut self.0 {
            Items::Others(Some(others)) => {
                let removed = (at < others.0.len()).then(|| others.0.remove(at));
                if others.0.len() == 1
                    && let Some(last) = others.0.pop()
                {
                    self.0 = Items::One(last);
                }
                removed
            }
            Items::One(_) if at == 0 => match take(self).0 {
                Items::One(item) => Some(item),
                Items::Others(_) => None,
            },
            Items::One(_) | Items::Others(None) => None,
        }
    }

    /// Keeps those items only of which `keep` says yes.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        let mut keep = keep;
        for item in take(self) {
            if keep(&item) {
                self.push(item);
            }
        }
    }
}

impl<T> Items<T> {
    fn others(items: Vec<T>) -> Self {
        Self::Others(Some(Box::new(Others(items))))
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Items::One(item) => slice::from_ref(item),
            Items::Others(Some(others)) => &others.0,
            Items::Others(None) => &[],
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Items::One(item) => slice::from_mut(item),
            Items::Others(Some(others)) => &mut others.0,
            Items::Others(None) => &mut [],
        }
    }
}

impl<T> IntoIterator for Few<T> {
    type Item = T;
    type IntoIter = Chain<option::IntoIter<T>, vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        let (one, others) = match self.0 {
            Items::One(item) => (Some(item), Vec::new()),
            Items::Others(others) => (None, others.map_or_else(Vec::new, |others| others.0)),
        };
        one.into_iter().chain(others)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    fn few(items: &[u32]) -> Few<u32> {
        let mut few = Few::default();
        for item in items {
            few.push(*item);
        }
        few
    }

    #[test]
    fn items_stay_in_their_order_however_many_there_are() {
        for len in 0..5 {
            let items: Vec<_> = (0..len).collect();
            assert_eq!(*few(&items), *items);
            assert_eq!(few(&items).into_iter().collect::<Vec<_>>(), items);
        }
    }

    #[test]
    fn any_item_can_be_taken_out() {
        for len in 0..5 {
            for at in 0..6 {
                let mut items: Vec<_> = (0..len).collect();
                let mut few = few(&items);
                let removed = (at < items.len()).then(|| items.remove(at));
                assert_eq!(few.remove(at), removed);
                assert_eq!(*few, *items);
                few.push(9);
                assert_eq!(few.last(), Some(&9));
            }
        }
    }

    #[test]
    fn those_that_are_not_kept_are_gone() {
        let mut few = few(&[1, 2, 3, 4]);
        few.retain(|item| item % 2 == 0);
        assert_eq!(*few, [2, 4]);
        few.retain(|item| *item == 4);
        few.iter_mut().for_each(|item| *item += 1);
        assert_eq!(*few, [5]);
        few.retain(|_| false);
        assert!(few.is_empty());
    }

    #[test]
    fn one_item_takes_no_more_than_itself() {
        assert_eq!(size_of::<Few<(Rc<u8>, u64)>>(), 16);
        assert_eq!(size_of::<Few<(Rc<str>, Option<Rc<u8>>)>>(), 24);
    }
}
