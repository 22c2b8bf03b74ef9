//! Bodies and payloads that are too long for one frame, while their parts are under way.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::PIECE;
use crate::sid::Sid;

/// The most bytes that are kept in all.
const MOST: usize = 64 * 1024 * 1024;

/// How long parts wait for the next step.
const PATIENCE: Duration = Duration::from_secs(15);

/// Parts by the gateway that asks and the number of their transfer.
type Key = (u32, u64);

/// Parts of bodies that come, and rests of answers that go, while they are under way.
#[derive(Debug, Default)]
pub(super) struct Parts {
    coming: HashMap<Key, (Vec<u8>, Instant)>,
    going: HashMap<Key, (Sid, Bytes, Instant)>,
    bytes: usize,
}

/// There is no room for more, or the parts do not fit together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit;

impl Parts {
    /// Keeps a part of a body that comes; `after` is how many bytes of it came before.
    pub(super) fn put(
        &mut self,
        key: Key,
        after: u64,
        body: &[u8],
        now: Instant,
    ) -> Result<(), Unfit> {
        if body.is_empty() || self.bytes + body.len() > MOST {
            return Err(Unfit);
        }
        let known = self.coming.get(&key).map_or(0, |(known, _)| known.len());
        if known as u64 != after {
            return Err(Unfit);
        }
        let (known, since) = self.coming.entry(key).or_insert_with(|| (Vec::new(), now));
        known.extend_from_slice(body);
        *since = now;
        self.bytes += body.len();
        Ok(())
    }

    /// The whole body, now that its end has come.
    pub(super) fn complete(&mut self, key: Key, after: u64, end: Bytes) -> Result<Bytes, Unfit> {
        if after == 0 {
            return Ok(end);
        }
        let (mut body, _) = self.coming.remove(&key).ok_or(Unfit)?;
        self.bytes -= body.len();
        if body.len() as u64 != after {
            return Err(Unfit);
        }
        body.extend_from_slice(&end);
        Ok(body.into())
    }

    /// Keeps what could not be answered at once to a request of the session `sid`.
    pub(super) fn keep(
        &mut self,
        key: Key,
        sid: Sid,
        rest: Bytes,
        now: Instant,
    ) -> Result<(), Unfit> {
        if self.bytes + rest.len() > MOST || self.going.contains_key(&key) {
            return Err(Unfit);
        }
        self.bytes += rest.len();
        self.going.insert(key, (sid, rest, now));
        Ok(())
    }

    /// The next piece of what is kept, and whether more follows.
    pub(super) fn next(&mut self, key: Key, now: Instant) -> Option<(Bytes, bool)> {
        let (_, rest, since) = self.going.get_mut(&key)?;
        let piece = rest.split_to(rest.len().min(PIECE));
        *since = now;
        self.bytes -= piece.len();
        let more = !rest.is_empty();
        if !more {
            self.going.remove(&key);
        }
        Some((piece, more))
    }

    /// Drops what nobody went on with; returns the sessions that have lost something.
    pub(super) fn sweep(&mut self, now: Instant) -> Vec<Sid> {
        let late = |since: &Instant| now.duration_since(*since) > PATIENCE;
        let mut dropped = 0;
        self.coming.retain(|_, (body, since)| {
            let late = late(since);
            dropped += if late { body.len() } else { 0 };
            !late
        });
        let mut lost = Vec::new();
        self.going.retain(|_, (sid, rest, since)| {
            let late = late(since);
            if late {
                dropped += rest.len();
                lost.push(*sid);
            }
            !late
        });
        self.bytes -= dropped;
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sid::SidKey;

    const KEY: Key = (1, 2);

    #[test]
    fn a_body_comes_together_from_its_parts() {
        let (mut parts, now) = (Parts::default(), Instant::now());
        assert_eq!(parts.put(KEY, 0, b"ab", now), Ok(()));
        assert_eq!(parts.put(KEY, 2, b"cd", now), Ok(()));
        let whole = parts.complete(KEY, 4, Bytes::from_static(b"e"));
        assert_eq!(whole, Ok(Bytes::from_static(b"abcde")));
        assert_eq!(parts.bytes, 0);
    }

    #[test]
    fn a_body_with_a_part_missing_is_refused() {
        let (mut parts, now) = (Parts::default(), Instant::now());
        assert_eq!(parts.put(KEY, 2, b"cd", now), Err(Unfit));
        assert_eq!(parts.put(KEY, 0, b"ab", now), Ok(()));
        assert_eq!(parts.put((2, 2), 2, b"cd", now), Err(Unfit));
        let end = || Bytes::from_static(b"e");
        assert_eq!(parts.complete((2, 2), 2, end()), Err(Unfit));
        assert_eq!(parts.complete(KEY, 4, end()), Err(Unfit));
        assert_eq!(parts.bytes, 0);
    }

    #[test]
    fn what_is_kept_is_given_out_in_pieces() {
        let (mut parts, now) = (Parts::default(), Instant::now());
        let sid = Sid::new(&SidKey::random(), 1, 0, 0);
        let rest = Bytes::from(vec![7; PIECE + 1]);
        assert_eq!(parts.keep(KEY, sid, rest, now), Ok(()));
        let (piece, more) = parts.next(KEY, now).unwrap();
        assert_eq!((piece.len(), more), (PIECE, true));
        let (piece, more) = parts.next(KEY, now).unwrap();
        assert_eq!((piece.len(), more), (1, false));
        assert_eq!(parts.next(KEY, now), None);
        assert_eq!(parts.bytes, 0);
    }

    #[test]
    fn what_nobody_goes_on_with_is_dropped_and_its_session_named() {
        let (mut parts, now) = (Parts::default(), Instant::now());
        let sid = Sid::new(&SidKey::random(), 1, 0, 0);
        parts.put(KEY, 0, b"ab", now).unwrap();
        parts.keep(KEY, sid, Bytes::from_static(b"c"), now).unwrap();
        assert_eq!(parts.sweep(now + PATIENCE), []);
        assert_eq!(parts.sweep(now + PATIENCE * 2), [sid]);
        assert_eq!((parts.bytes, parts.next(KEY, now)), (0, None));
    }

    #[test]
    fn no_more_is_kept_than_the_bound() {
        let (mut parts, now) = (Parts::default(), Instant::now());
        let sid = Sid::new(&SidKey::random(), 1, 0, 0);
        let most = Bytes::from(vec![0; MOST]);
        assert_eq!(parts.keep(KEY, sid, most, now), Ok(()));
        assert_eq!(parts.put(KEY, 0, b"a", now), Err(Unfit));
        assert_eq!(
            parts.keep((1, 3), sid, Bytes::from_static(b"a"), now),
            Err(Unfit)
        );
    }
}
