//! The messages of a room after one, oldest first.

use std::sync::Arc;

use sluice_rooms::{Message, Page, Query};

use super::{
    question::{Counted, Kept, Part, Question, Turn},
    search::Search,
};

/// What the answer that is awaited is for.
#[derive(Debug)]
enum Stage {
    /// The messages.
    Range,
    /// Where the room ends, since it keeps fewer than there are from this message on.
    Last(Counted),
    /// Whether what the room keeps begins at this place.
    Search(Search, u64),
    /// Whether a message is there that is not after `after`.
    Oldest,
    /// Whether the message at `after` is there.
    Reach,
}

/// A page of what comes after a message, while it is read.
#[derive(Debug)]
pub(super) struct Onward {
    query: Query,
    after: u64,
    stage: Stage,
    /// How many messages there were after `after`.
    count: Option<u64>,
    /// The last message that was read.
    reached: Option<Counted>,
    messages: Vec<Arc<Message>>,
    bytes: usize,
    more: bool,
    /// Whether any of them are gone, once that is known.
    truncated: Option<bool>,
}

impl Onward {
    /// A page that a query with this `after` asks for, and how its read begins.
    pub(super) fn begin(query: Query, after: u64) -> (Self, Turn) {
        let page = Self {
            query,
            after,
            stage: Stage::Range,
            count: None,
            reached: None,
            messages: Vec::new(),
            bytes: 0,
            more: false,
            truncated: None,
        };
        let turn = page.ask_from(after.saturating_add(1));
        (page, turn)
    }

    fn ask_from(&self, offset: u64) -> Turn {
        let left = self.query.limit.saturating_sub(self.messages.len());
        Turn::Ask(Question::Range(offset, left.max(1) as u64))
    }

    /// Goes on with a part of an answer.
    pub(super) fn came(&mut self, part: Part, kept: &Kept, per_room: Option<u64>) -> Turn {
        match (&self.stage, part) {
            (Stage::Range, Part::Message(at, message)) => {
                if self.take(at, message, kept) {
                    return self.prove(per_room);
                }
                match self.stage {
                    Stage::Last(_) => Turn::Ask(Question::Last),
                    _ => Turn::Wait,
                }
            }
            (Stage::Range, Part::End) => self.go_on(per_room),
            (Stage::Range | Stage::Last(_), Part::Nothing) => self.prove(per_room),
            (Stage::Last(low), Part::Message(high, _)) => {
                let search = Search::new(*low, high, kept.most(), kept.most() / 8);
                self.search(search)
            }
            (Stage::Search(search, place), Part::Message(at, _)) => {
                self.found(*search, *place, Some(at))
            }
            (Stage::Search(search, place), Part::Nothing) => self.found(*search, *place, None),
            (Stage::Oldest, Part::Message(at, _)) => self.oldest(at, per_room),
            (Stage::Oldest, Part::Nothing) => self.reach(0, per_room),
            (Stage::Reach, part) => {
                let is_there = match part {
                    Part::Message(_, Some(message)) => !kept.is_old(Some(&message)),
                    _ => false,
                };
                self.truncated = Some(!is_there);
                Turn::Done
            }
            (Stage::Last(_) | Stage::Search(..) | Stage::Oldest, Part::End) => Turn::Wait,
        }
    }

    /// Takes a message. True once the page cannot change.
    fn take(&mut self, at: Counted, message: Option<Arc<Message>>, kept: &Kept) -> bool {
        self.reached = Some(at);
        let (beyond, old) = (at.count > kept.most(), kept.is_old(message.as_ref()));
        if self.count.is_none() {
            self.count = Some(at.count);
            if beyond || old {
                self.truncated = Some(true);
            }
            if beyond {
                self.stage = Stage::Last(at);
                return false;
            }
        }
        if self.query.before.is_some_and(|before| at.offset >= before) {
            return true;
        }
        if let Some(message) = message.filter(|_| !beyond && !old) {
            if self.messages.len() >= self.query.limit {
                return true;
            }
            let bytes = self.bytes + message.size();
            let fits = self.query.max_bytes.is_none_or(|most| bytes <= most);
            if !fits && !self.messages.is_empty() {
                self.more = true;
                return true;
            }
            self.bytes = bytes;
            self.messages.push(message);
        }
        at.count <= 1 || self.messages.len() >= self.query.limit
    }

    fn search(&mut self, search: Search) -> Turn {
        match search.place() {
            Some(place) => {
                self.stage = Stage::Search(search, place);
                Turn::Ask(Question::Look(place))
            }
            None => self.read_from(search.low()),
        }
    }

    fn found(&mut self, mut search: Search, place: u64, at: Option<Counted>) -> Turn {
        match search.seen(place, at) {
            Some(found) => self.read_from(found),
            None => self.search(search),
        }
    }

    fn read_from(&mut self, first: Counted) -> Turn {
        self.stage = Stage::Range;
        self.ask_from(first.offset)
    }

    /// An answer is over, and the page is not full.
    fn go_on(&mut self, per_room: Option<u64>) -> Turn {
        match self.reached {
            Some(at) if at.count > 1 => self.ask_from(at.offset.saturating_add(1)),
            _ => self.prove(per_room),
        }
    }

    /// The page is there; whether any of what was asked for is gone may have to be looked up.
    fn prove(&mut self, per_room: Option<u64>) -> Turn {
        if self.truncated.is_some() {
            return Turn::Done;
        }
        if self.after == 0 {
            return self.reach(self.count.unwrap_or(0), per_room);
        }
        self.stage = Stage::Oldest;
        Turn::Ask(Question::Look(1))
    }

    /// A message that is not after `after` is still there, and older ones go first; or there is
    /// none.
    fn oldest(&mut self, at: Counted, per_room: Option<u64>) -> Turn {
        if at.offset <= self.after {
            self.truncated = Some(false);
            return Turn::Done;
        }
        self.reach(at.count, per_room)
    }

    /// All that is there of the room is after `after`.
    fn reach(&mut self, count: u64, per_room: Option<u64>) -> Turn {
        if per_room.is_some_and(|most| count >= most) {
            self.truncated = Some(true);
            return Turn::Done;
        }
        if self.after == 0 {
            // There is nothing that could tell of older ones.
            self.truncated = Some(false);
            return Turn::Done;
        }
        self.stage = Stage::Reach;
        Turn::Ask(Question::Exactly(self.after))
    }

    /// The page.
    pub(super) fn page(self) -> Page {
        Page {
            messages: self.messages,
            truncated: self.truncated.unwrap_or(true),
            more: self.more,
        }
    }
}
