//! What instances emitted lately, for clients that lost their connection.
//!
//! There is one for all workers of a gateway. Each emission has a number, and is found by those whom
//! it was for: a room, all of a namespace, a user, or one session. So it is known exactly whether
//! all is still there that a client missed, however long ago the last was that it got.

use std::{
    collections::VecDeque,
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;
use sluice_contract::application::Selector;

use crate::{Absent, Cast, Deed, Emission};

/// The most of those for whom something was emitted that are remembered once nothing of it is left.
const MAX_FORGOTTEN: usize = 65_536;

/// What an emission takes beside its bytes, roughly.
const AROUND: usize = 512;

/// Some of what a client missed is not there any more, or nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// Something that was emitted.
#[derive(Debug, Clone)]
pub(crate) enum Emitted {
    /// To one session, by its handle.
    Alone(u64, Emission),
    /// To all who were selected.
    Cast(Arc<Cast>),
}

impl Emitted {
    fn emission(&self) -> Option<&Emission> {
        match self {
            Self::Alone(_, emission) => Some(emission),
            Self::Cast(cast) => match &cast.deed {
                Deed::Emit(emission) => Some(emission),
                _ => None,
            },
        }
    }

    fn size(&self) -> usize {
        let emission = self.emission().map_or(0, Emission::size);
        let selector = match self {
            Self::Alone(..) => 0,
            Self::Cast(cast) => size_of_selector(&cast.selector),
        };
        emission + selector + AROUND
    }

    fn except(&self) -> &[Arc<str>] {
        match self {
            Self::Alone(..) => &[],
            Self::Cast(cast) => &cast.selector.except,
        }
    }
}

fn size_of_selector(selector: &Selector) -> usize {
    let names = [&selector.rooms, &selector.except, &selector.users];
    let names = names.iter().flat_map(|names| names.iter());
    let sessions = selector.sessions.len() * 48;
    names.map(|name| name.len() + 64).sum::<usize>() + sessions
}

/// What a client missed: the number of each, and what was emitted.
#[derive(Debug, Clone)]
pub struct Missed {
    /// Its number.
    pub seq: u64,
    /// What it was.
    pub emission: Emission,
}

#[derive(Debug)]
struct Logged {
    at: Instant,
    emitted: Emitted,
    keys: Box<[u64]>,
    size: usize,
}

/// What was emitted for somebody.
#[derive(Debug, Default)]
struct Of {
    /// The number of the last one that is not there any more.
    forgotten: u64,
    seqs: VecDeque<u64>,
}

#[derive(Debug)]
pub(crate) struct Log {
    /// Which log this is.
    pub(crate) number: u64,
    /// The number of the last emission.
    last: u64,
    entries: VecDeque<Logged>,
    bytes: usize,
    of: FxHashMap<u64, Of>,
    /// Of those that are not in `of`, as [`Of::forgotten`].
    floor: u64,
    /// Names are chosen by clients as often as not.
    hasher: RandomState,
}

impl Log {
    pub(crate) fn new(number: u64) -> Self {
        Self {
            number,
            last: 0,
            entries: VecDeque::new(),
            bytes: 0,
            of: FxHashMap::default(),
            floor: 0,
            hasher: RandomState::new(),
        }
    }

    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number that [`Self::add`] gives next.
    pub(crate) fn next(&self) -> u64 {
        self.last + 1
    }

    pub(crate) fn add(&mut self, emitted: Emitted, now: Instant) {
        self.last += 1;
        let keys: Box<[u64]> = match &emitted {
            Emitted::Alone(handle, _) => [self.handle(*handle)].into(),
            Emitted::Cast(cast) => self.selected(&cast.selector).into(),
        };
        for key in &keys {
            let of = self.of.entry(*key).or_insert_with(|| Of {
                forgotten: self.floor,
                ..Of::default()
            });
            of.seqs.push_back(self.last);
        }
        let size = emitted.size();
        self.bytes += size;
        self.entries.push_back(Logged {
            at: now,
            emitted,
            keys,
            size,
        });
    }

    /// Forgets what is older, and the oldest where there are more bytes.
    pub(crate) fn forget(&mut self, reach: Duration, most: usize, now: Instant) {
        while let Some(first) = self.entries.front()
            && (self.bytes > most || now.duration_since(first.at) > reach)
        {
            self.forget_first();
        }
        if self.of.len() > self.entries.len() + MAX_FORGOTTEN {
            self.of.retain(|_, of| !of.seqs.is_empty());
            self.floor = self.last - self.entries.len() as u64;
        }
    }

    fn forget_first(&mut self) {
        let seq = self.last + 1 - self.entries.len() as u64;
        let Some(first) = self.entries.pop_front() else {
            return;
        };
        self.bytes -= first.size;
        for key in &first.keys {
            if let Some(of) = self.of.get_mut(key) {
                of.seqs.pop_front();
                of.forgotten = seq;
            }
        }
    }

    /// What a session missed behind one number, up to another.
    pub(crate) fn missed(
        &self,
        absent: &Absent,
        from: u64,
        through: u64,
    ) -> Result<Vec<Missed>, Gone> {
        if from > self.last || from < absent.unknown {
            return Err(Gone);
        }
        let mut seqs = Vec::new();
        for (key, since, until) in self.keys_of(absent) {
            let after = from.max(since);
            if until <= after {
                continue;
            }
            let Some(of) = self.of.get(&key) else {
                if self.floor > after {
                    return Err(Gone);
                }
                continue;
            };
            if of.forgotten > after {
                return Err(Gone);
            }
            let first = of.seqs.partition_point(|seq| *seq <= after);
            let end = of.seqs.partition_point(|seq| *seq <= until.min(through));
            if first < end {
                seqs.extend(of.seqs.range(first..end));
            }
        }
        seqs.sort_unstable();
        seqs.dedup();
        let missed = seqs.into_iter().filter_map(|seq| {
            let emitted = self.entry(seq).filter(|it| !excepts(it, absent, seq))?;
            let emission = emitted.emission()?.clone();
            Some(Missed { seq, emission })
        });
        Ok(missed.collect())
    }

    fn entry(&self, seq: u64) -> Option<&Emitted> {
        let first = self.last + 1 - self.entries.len() as u64;
        let at = usize::try_from(seq.checked_sub(first)?).ok()?;
        self.entries.get(at).map(|logged| &logged.emitted)
    }

    /// By what emissions for a session are found, from where and up to where.
    fn keys_of(&self, absent: &Absent) -> Vec<(u64, u64, u64)> {
        let (namespace, began) = (&*absent.namespace, absent.began);
        let all = [
            self.key(0, namespace, ""),
            self.key(1, namespace, &absent.session),
            self.key(2, namespace, &absent.user),
        ];
        let mut keys: Vec<_> = all.map(|key| (key, began, u64::MAX)).into();
        for stay in &absent.rooms {
            keys.push((self.key(1, namespace, &stay.of), stay.from, stay.until));
        }
        for stay in &absent.handles {
            keys.push((self.handle(stay.of), stay.from, stay.until));
        }
        keys
    }

    fn selected(&self, selector: &Selector) -> Vec<u64> {
        let namespace = &*selector.namespace;
        if selector.is_everyone() {
            return vec![self.key(0, namespace, "")];
        }
        let rooms = selector.rooms.iter().map(|room| &**room);
        let rooms = rooms.chain(selector.sessions.iter().map(|id| &**id));
        let mut keys: Vec<_> = rooms.map(|room| self.key(1, namespace, room)).collect();
        let users = selector.users.iter();
        keys.extend(users.map(|user| self.key(2, namespace, user)));
        // What is named twice is found once.
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    fn key(&self, kind: u8, namespace: &str, name: &str) -> u64 {
        self.hasher.hash_one((kind, namespace, name))
    }

    fn handle(&self, handle: u64) -> u64 {
        self.hasher.hash_one((3_u8, handle))
    }
}

/// Whether an emission was not for a session that was in one of the rooms that it leaves out.
fn excepts(emitted: &Emitted, absent: &Absent, seq: u64) -> bool {
    emitted.except().iter().any(|room| {
        let mut rooms = absent.rooms.iter();
        **room == *absent.session || rooms.any(|stay| stay.of == *room && stay.has(seq))
    })
}

#[cfg(test)]
mod tests;
