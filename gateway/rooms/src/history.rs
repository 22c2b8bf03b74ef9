//! A room's recent messages.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use rustc_hash::FxHashMap;

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

/// What became of a message offered to a history.
#[derive(Debug, Clone)]
pub enum Appended {
    /// It is new.
    New,
    /// A message with this id is there already, at this offset.
    Duplicate(u64),
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
    ids: FxHashMap<Box<str>, u64>,
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
            ids: FxHashMap::default(),
            evicted: offset,
            last: offset,
            bytes: 0,
        }
    }

    /// The offset of a message with this id, where one is here.
    pub fn find(&self, id: &str) -> Option<u64> {
        self.ids.get(id).copied()
    }

    /// Adds a message; its offset must be greater than all before it.
    pub fn append(&mut self, message: Arc<Message>, limits: &HistoryLimits) -> Appended {
        if let Some(offset) = self.find(&message.id) {
            return Appended::Duplicate(offset);
        }
        self.last = message.offset();
        self.bytes += message.size();
        self.ids.insert(message.id.clone(), self.last);
        self.messages.push_back(message);
        while self.messages.len() > limits.max_messages {
            self.evict();
        }
        Appended::New
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

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Everything after `offset`, or that some of it is gone. Never a part.
    pub fn replay(&self, offset: u64) -> Replayed {
        if offset < self.evicted {
            return Replayed::Gone;
        }
        Replayed::Complete(self.messages.range(self.index_after(offset)..).cloned().collect())
    }

    /// The messages that a query asks for.
    pub fn page(&self, query: Query) -> Page {
        let start = query.after.map_or(0, |after| self.index_after(after));
        let end = query.before.map_or(self.messages.len(), |before| self.index_from(before));
        let end = end.max(start);
        let (start, end) = match query.after {
            Some(_) => (start, end.min(start + query.limit)),
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
mod tests {
    use super::*;
    use crate::{Epoch, Position};

    const LIMITS: HistoryLimits =
        HistoryLimits { max_messages: 3, max_age: Duration::from_secs(60) };

    fn message(offset: u64, id: &str) -> Arc<Message> {
        Arc::new(Message {
            room: None,
            event: "e".into(),
            data: "null".into(),
            attachments: Vec::new(),
            from: None,
            id: id.into(),
            position: Some(Position { epoch: Epoch::from_bits(1), offset }),
            time: 0,
            except: None,
            accepted: Instant::now(),
        })
    }

    fn filled(offsets: &[u64]) -> History {
        let mut history = History::after(0);
        for offset in offsets {
            history.append(message(*offset, &offset.to_string()), &LIMITS);
        }
        history
    }

    fn offsets(messages: &[Arc<Message>]) -> Vec<u64> {
        messages.iter().map(|m| m.offset()).collect()
    }

    fn page(history: &History, after: Option<u64>, before: Option<u64>, limit: usize) -> Vec<u64> {
        offsets(&history.page(Query { after, before, limit }).messages)
    }

    #[test]
    fn the_oldest_messages_go_first() {
        assert_eq!(page(&filled(&[2, 5, 7, 9]), None, None, 10), [5, 7, 9]);
    }

    #[test]
    fn the_same_id_is_kept_once() {
        let mut history = filled(&[2]);
        assert!(matches!(history.append(message(3, "2"), &LIMITS), Appended::Duplicate(2)));
        assert_eq!(history.len(), 1);
    }

    #[test]
    fn an_id_may_return_when_its_message_is_gone() {
        let mut history = filled(&[2, 5, 7, 9]);
        assert!(matches!(history.append(message(10, "2"), &LIMITS), Appended::New));
    }

    #[test]
    fn a_replay_is_complete_or_refused() {
        let history = filled(&[2, 5, 7, 9]);
        assert!(matches!(history.replay(1), Replayed::Gone));
        let Replayed::Complete(messages) = history.replay(2) else { panic!("gone") };
        assert_eq!(offsets(&messages), [5, 7, 9]);
        let Replayed::Complete(messages) = history.replay(9) else { panic!("gone") };
        assert!(messages.is_empty());
    }

    #[test]
    fn a_replay_from_before_the_rooms_first_message_is_complete() {
        let history = filled(&[2, 5]);
        assert!(matches!(history.replay(0), Replayed::Complete(m) if m.len() == 2));
    }

    #[test]
    fn the_newest_page_is_the_default_and_after_reads_forward() {
        let history = filled(&[2, 5, 7]);
        assert_eq!(page(&history, None, None, 2), [5, 7]);
        assert_eq!(page(&history, None, Some(7), 2), [2, 5]);
        assert_eq!(page(&history, Some(2), None, 1), [5]);
        assert_eq!(page(&history, Some(2), Some(7), 9), [5]);
        assert_eq!(page(&history, Some(7), Some(2), 9), [0; 0]);
    }

    #[test]
    fn old_messages_expire() {
        let mut history = filled(&[2, 5]);
        let later = Instant::now() + Duration::from_secs(61);
        assert!(!history.expire(later, LIMITS.max_age));
        assert!(matches!(history.replay(4), Replayed::Gone));
        assert_eq!(history.bytes(), 0);
    }
}
