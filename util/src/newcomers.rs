//! Whom there is room for while nothing is known of them.

use std::{collections::VecDeque, net::IpAddr};

use crate::counted_address;

/// What has come from each address, of which the oldest makes room for what comes.
///
/// So whoever fills a port with what it never uses pushes out its own, and a newcomer is always let
/// in. Adding looks at all that are kept, so that the bounds are to be small.
///
/// ```
/// use sluice_util::Newcomers;
///
/// let mut newcomers = Newcomers::new(1, 2);
/// let [one, other] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(Into::into);
/// assert_eq!(newcomers.add(one, "a"), None);
/// assert_eq!(newcomers.add(other, "b"), None);
/// assert_eq!(newcomers.add(other, "c"), Some("b"));
/// ```
#[derive(Debug)]
pub struct Newcomers<T> {
    of_address: usize,
    of_all: usize,
    kept: VecDeque<(IpAddr, T)>,
}

impl<T> Newcomers<T> {
    /// Keeps so many of one address, and so many of all.
    pub const fn new(of_address: usize, of_all: usize) -> Self {
        Self {
            of_address,
            of_all,
            kept: VecDeque::new(),
        }
    }

    /// Adds one, and returns whom it takes the place of.
    pub fn add(&mut self, address: IpAddr, newcomer: T) -> Option<T> {
        let address = counted_address(address);
        let mut of_address = self.kept.iter().enumerate();
        let mut of_address = of_address.by_ref().filter(|(_, kept)| kept.0 == address);
        let oldest = of_address.next().map(|(at, _)| at);
        let goes = match oldest {
            Some(at) if 1 + of_address.count() >= self.of_address => self.kept.remove(at),
            _ if self.kept.len() >= self.of_all => self.kept.pop_front(),
            _ => None,
        };
        self.kept.push_back((address, newcomer));
        goes.map(|(_, newcomer)| newcomer)
    }

    /// Lets go of all but those.
    pub fn retain(&mut self, mut stays: impl FnMut(&T) -> bool) {
        self.kept.retain(|(_, newcomer)| stays(newcomer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn an_address_that_has_its_share_pushes_out_its_own_oldest() {
        let mut newcomers = Newcomers::new(3, 100);
        assert_eq!(newcomers.add(address(1), 0), None);
        for number in 1..4 {
            assert_eq!(newcomers.add(address(2), number), None);
        }
        assert_eq!(newcomers.add(address(2), 4), Some(1));
        assert_eq!(newcomers.add(address(2), 5), Some(2));
        newcomers.retain(|number| *number != 3);
        assert_eq!(newcomers.add(address(2), 6), None);
        assert_eq!(newcomers.add(address(1), 7), None);
    }

    #[test]
    fn many_addresses_together_push_out_the_oldest_of_all() {
        let mut newcomers = Newcomers::new(3, 4);
        for last in 0..4 {
            assert_eq!(newcomers.add(address(last), last), None);
        }
        assert_eq!(newcomers.add(address(4), 4), Some(0));
        assert_eq!(newcomers.add(address(0), 5), Some(1));
    }
}
