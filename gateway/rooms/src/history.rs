//! A room's recent messages.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{HistoryLimits, Message, Publisher};

/// How long an id is remembered: the same message of the same publisher is stored once within it, as
/// long as the history holds it. After that it is another message.
pub const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);

/// What a reader asks for: messages after one offset, before another, so many at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Query {
    /// Only messages with a greater offset; the oldest of them first.
    pub after: Option<u64>,
    /// Only messages with a smaller offset.
    pub before: Option<u64>,
    /// At most so many. Without `after` these are the newest ones.
    pub limit: usize,
    /// At most so many bytes of them by [`Message::size`], and one message in any case.
    pub max_bytes: Option<usize>,
}

/// Messages of a history, in order.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The messages, oldest first.
    pub messages: Vec<Arc<Message>>,
    /// Whether there are messages after `after` that the history no longer has.
    pub truncated: bool,
    /// Whether messages that were asked for are left out for their bytes.
    pub more: bool,
}

impl Page {
    /// Leaves as many messages as a query has bytes for: the first ones where what comes after a
    /// message is asked for, else the last ones.
    pub fn cut(&mut self, query: &Query) {
        let Some(most) = query.max_bytes else {
            return;
        };
        let mut bytes = 0;
        let mut fits = |message: &&Arc<Message>| {
            let first = bytes == 0;
            bytes += message.size();
            first || bytes <= most
        };
        let all = self.messages.len();
        if query.after.is_some() {
            let kept = self.messages.iter().take_while(&mut fits).count();
            self.messages.truncate(kept);
        } else {
            let kept = self.messages.iter().rev().take_while(&mut fits).count();
            self.messages.drain(..all - kept);
        }
        self.more |= self.messages.len() < all;
    }
}

/// What a reader missed.
#[derive(Debug, Clone)]
pub enum Replayed {
    /// All of it, in order.
    Complete(Vec<Arc<Message>>),
    /// Some of it is gone.
    Gone,
}

/// A bounded history that finds messages by offset, and duplicates by their publisher and id.
#[derive(Debug)]
pub struct History {
    messages: VecDeque<Arc<Message>>,
    /// The digest of each message's publisher and id, in the order of the messages.
    digests: VecDeque<u64>,
    /// The offset of the message with a digest.
    by_digest: HashMap<u64, u64>,
    /// Clients choose ids, so they are hashed with a secret.
    secret: RandomState,
    /// The greatest offset that is no longer here.
    evicted: u64,
    /// The greatest offset there ever was.
    last: u64,
    bytes: usize,
}

impl History {
    /// An empty history of a room that begins after `offset`.
    pub fn after(offset: u64) -> Self {
        Self {
            messages: VecDeque::new(),
            digests: VecDeque::new(),
            by_digest: HashMap::default(),
            secret: RandomState::new(),
            evicted: offset,
            last: offset,
            bytes: 0,
        }
    }

    /// The offset of this publisher's message with this id, where one is here that is neither older
    /// than the history keeps messages nor than ids are remembered.
    pub fn find(
        &self,
        publisher: &Publisher,
        id: &str,
        now: Instant,
        max_age: Duration,
    ) -> Option<u64> {
        let offset = *self.by_digest.get(&self.digest(publisher, id))?;
        let message = self.messages.get(self.index_from(offset))?;
        let age = now.saturating_duration_since(message.accepted);
        (age <= DUPLICATE_WINDOW.min(max_age)).then_some(offset)
    }

    fn digest(&self, publisher: &Publisher, id: &str) -> u64 {
        self.secret.hash_one((publisher, id))
    }

    /// Adds a message of a publisher. Its offset must be greater than all before it, and its id one
    /// that [`Self::find`] does not find.
    pub fn append(&mut self, message: Arc<Message>, publisher: &Publisher, limits: &HistoryLimits) {
        self.last = message.offset();
        self.bytes += message.size();
        let digest = self.digest(publisher, &message.id);
        self.by_digest.insert(digest, self.last);
        self.digests.push_back(digest);
        self.messages.push_back(message);
        while self.messages.len() > limits.max_messages {
            self.evict();
        }
    }

    /// Drops what is too old. Returns whether anything is left.
    pub fn expire(&mut self, now: Instant, max_age: Duration) -> bool {
        while self
            .messages
            .front()
            .is_some_and(|m| now.saturating_duration_since(m.accepted) > max_age)
        {
            self.evict();
        }
        if self.messages.is_empty() {
            // A room that was busy once must not hold its memory for ever.
            (self.messages, self.digests, self.by_digest) = Default::default();
        }
        !self.messages.is_empty()
    }

    /// Drops the oldest message, if there is one.
    pub fn drop_oldest(&mut self) {
        self.evict();
    }

    fn evict(&mut self) {
        if let Some(message) = self.messages.pop_front() {
            self.evicted = message.offset();
            self.bytes -= message.size();
        }
        // A later message may have the same publisher and id.
        if let Some(digest) = self.digests.pop_front()
            && self.by_digest.get(&digest) == Some(&self.evicted)
        {
            self.by_digest.remove(&digest);
        }
    }

    /// The greatest offset there ever was.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Roughly the memory it holds, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many messages it holds.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether the history holds no message.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Everything after `offset`, or that some of it is gone. Never a part.
    pub fn replay(&self, offset: u64) -> Replayed {
        if offset < self.evicted {
            return Replayed::Gone;
        }
        Replayed::Complete(
            self.messages
                .range(self.index_after(offset)..)
                .cloned()
                .collect(),
        )
    }

    /// The messages that a query asks for.
    pub fn page(&self, query: Query) -> Page {
        let start = query.after.map_or(0, |after| self.index_after(after));
        let end = query
            .before
            .map_or(self.messages.len(), |before| self.index_from(before));
        let end = end.max(start);
        let (start, end) = match query.after {
            Some(_) => (start, end.min(start.saturating_add(query.limit))),
            None => (start.max(end.saturating_sub(query.limit)), end),
        };
        let mut page = Page {
            messages: self.messages.range(start..end).cloned().collect(),
            truncated: query.after.is_some_and(|after| after < self.evicted),
            more: false,
        };
        page.cut(&query);
        page
    }

    fn index_after(&self, offset: u64) -> usize {
        self.messages.partition_point(|m| m.offset() <= offset)
    }

    fn index_from(&self, offset: u64) -> usize {
        self.messages.partition_point(|m| m.offset() < offset)
    }
}

#[cfg(test)]
mod tests;
