//! Finding where in the stream a room's newest messages begin, by how many follow.
//!
//! The stream reads forwards only, and says of each message how many of the room follow. So a
//! look at any place says on which side of the wanted message it is.

use super::question::Counted;

/// After so many looks the place that is known is good enough: messages come and go meanwhile.
const LOOKS: u32 = 64;

/// A search for a message from which on there are `least` to `most` of the room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    least: u64,
    most: u64,
    /// A message that has more behind it.
    low: Counted,
    /// From here on there are fewer.
    high: Counted,
    looks: u32,
}

impl Search {
    /// A search between a message that has too many behind it, and a place with too few.
    pub(super) fn new(low: Counted, high: Counted, least: u64, slack: u64) -> Self {
        Self {
            least,
            most: least.saturating_add(slack),
            low,
            high,
            looks: 0,
        }
    }

    /// Where to look next; none where it goes no further than [`Self::low`].
    pub(super) fn place(&self) -> Option<u64> {
        let between = self.high.offset.checked_sub(self.low.offset)?;
        if between < 2 || self.looks >= LOOKS {
            return None;
        }
        let step = if self.looks.is_multiple_of(2) {
            let (over, all) = (
                self.low.count.saturating_sub(self.least),
                self.low.count.saturating_sub(self.high.count).max(1),
            );
            // No room has so many messages that this is not exact enough.
            (u128::from(between) * u128::from(over) / u128::from(all)) as u64
        } else {
            between / 2
        };
        Some(self.low.offset + step.clamp(1, between - 1))
    }

    /// Notes what is at a place and after it. The message from which on there are as many as
    /// wanted, once it is found.
    pub(super) fn seen(&mut self, place: u64, found: Option<Counted>) -> Option<Counted> {
        self.looks += 1;
        match found {
            Some(found) if found.count > self.most => self.low = found,
            Some(found) if found.count >= self.least => return Some(found),
            found => {
                let count = found.map_or(0, |found| found.count);
                self.high = Counted {
                    offset: place,
                    count,
                };
            }
        }
        None
    }

    /// The nearest message that is known to have enough behind it.
    pub(super) fn low(&self) -> Counted {
        self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn look(offsets: &[u64], place: u64) -> Option<Counted> {
        let at = offsets.partition_point(|offset| *offset < place);
        offsets.get(at).map(|offset| Counted {
            offset: *offset,
            count: (offsets.len() - at) as u64,
        })
    }

    /// Where it is found, and in how many looks.
    fn find(offsets: &[u64], least: u64, slack: u64) -> (Counted, u32) {
        let low = look(offsets, 0).unwrap();
        let high = Counted {
            offset: *offsets.last().unwrap(),
            count: 1,
        };
        let mut search = Search::new(low, high, least, slack);
        while let Some(place) = search.place() {
            if let Some(found) = search.seen(place, look(offsets, place)) {
                return (found, search.looks);
            }
        }
        (search.low(), search.looks)
    }

    #[test]
    fn evenly_spread_messages_are_found_at_once() {
        let offsets: Vec<u64> = (1..=100_000).map(|n| n * 7).collect();
        let (found, looks) = find(&offsets, 50, 10);
        assert!((50..=60).contains(&found.count), "{found:?}");
        assert!(looks <= 2, "{looks}");
    }

    proptest! {
        #[test]
        fn a_place_with_as_many_as_wanted_behind_it_is_found_in_few_looks(
            gaps in proptest::collection::vec(prop_oneof![1u64..3, 1u64..1_000_000], 20..400),
            least in 2u64..15,
            slack in 0u64..4,
        ) {
            let offsets: Vec<u64> = gaps.iter().scan(0, |at, gap| { *at += gap; Some(*at) }).collect();
            let (found, looks) = find(&offsets, least, slack);
            prop_assert!((least..=least + slack).contains(&found.count), "{:?}", found);
            prop_assert!(looks <= 62, "{}", looks);
        }
    }
}
