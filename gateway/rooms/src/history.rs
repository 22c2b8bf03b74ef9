//! A room's recent messages.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{HistoryLimits, Message};

/// What a reader asks for: messages after one offset, before another, so many at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Query {
    /// Only messages with a greater offset; the oldest of them first.
    pub after: Option<u64>,
    /// Only messages with a smaller offset.
    pub before: Option<u64>,
    /// At most so many. Without `after` these are the newest ones.
    pub limit: usize,
}

/// Messages of a history, in order.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The messages, oldest first.
    pub messages: Vec<Arc<Message>>,
    /// Whether there are messages after `after` that the history no longer has.
    pub truncated: bool,
}

/// What a reader missed.
#[derive(Debug, Clone)]
pub enum Replayed {
    /// All of it, in order.
    Complete(Vec<Arc<Message>>),
    /// Some of it is gone.
    Gone,
}

/// A bounded history that finds messages by offset and duplicates by id.
#[derive(Debug)]
pub struct History {
    messages: VecDeque<Arc<Message>>,
    /// Clients choose ids, so they are hashed with a secret.
    ids: HashMap<Box<str>, u64>,
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
            ids: HashMap::default(),
            evicted: offset,
            last: offset,
            bytes: 0,
        }
    }

    /// The offset of a message with this id, where one is here.
    pub fn find(&self, id: &str) -> Option<u64> {
        self.ids.get(id).copied()
    }

    /// Adds a message. Its offset must be greater than all before it, and its id one that
    /// [`Self::find`] does not know.
    pub fn append(&mut self, message: Arc<Message>, limits: &HistoryLimits) {
        self.last = message.offset();
        self.bytes += message.size();
        self.ids.insert(message.id.clone(), self.last);
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
            (self.messages, self.ids) = Default::default();
        }
        !self.messages.is_empty()
    }

    fn evict(&mut self) {
        if let Some(message) = self.messages.pop_front() {
            self.evicted = message.offset();
            self.bytes -= message.size();
            self.ids.remove(&message.id);
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
        Page {
            messages: self.messages.range(start..end).cloned().collect(),
            truncated: query.after.is_some_and(|after| after < self.evicted),
        }
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
