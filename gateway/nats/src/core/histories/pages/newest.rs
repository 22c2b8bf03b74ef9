//! The newest messages of a room, or the newest before one.
//!
//! Where they begin is searched for by how many follow, so that a page costs about as many
//! messages as it has, however many the room keeps.

use std::{collections::VecDeque, sync::Arc};

use sluice_rooms::{Message, Page, Query};

use super::{
    question::{Counted, Kept, Part, Question, Turn},
    search::Search,
};

/// What the answer that is awaited is for.
#[derive(Debug)]
enum Stage {
    /// How many messages there are from `before` on.
    Behind,
    /// Where the room ends.
    Last,
    /// Where it begins.
    Oldest,
    /// Whether the page begins at this place.
    Search(Search, u64),
    /// The messages.
    Range,
}

/// A page of the newest messages, while it is read.
#[derive(Debug)]
pub(super) struct Newest {
    query: Query,
    stage: Stage,
    /// How many messages there are that are not before `before`.
    behind: u64,
    /// From here on there are fewer messages than the page has.
    high: Counted,
    /// The last message that was read, and how many the answer had with it.
    reached: Counted,
    answered: u64,
    messages: VecDeque<Arc<Message>>,
    more: bool,
}

impl Newest {
    /// A page that a query without `after` asks for, and how its read begins.
    pub(super) fn begin(query: Query) -> (Self, Turn) {
        let none = Counted {
            offset: 0,
            count: 0,
        };
        let mut page = Self {
            query,
            stage: Stage::Last,
            behind: 0,
            high: none,
            reached: none,
            answered: 0,
            messages: VecDeque::new(),
            more: false,
        };
        let turn = match query.before {
            _ if query.limit == 0 => Turn::Done,
            None => Turn::Ask(Question::Last),
            Some(0 | 1) => Turn::Done,
            Some(before) => {
                page.high.offset = before;
                page.look(Stage::Behind, before)
            }
        };
        (page, turn)
    }

    fn look(&mut self, stage: Stage, place: u64) -> Turn {
        self.stage = stage;
        Turn::Ask(Question::Look(place))
    }

    /// Goes on with a part of an answer.
    pub(super) fn came(&mut self, part: Part, kept: &Kept) -> Turn {
        match part {
            Part::Message(at, message) => self.message(at, message, kept),
            Part::Nothing => self.nothing(),
            Part::End => self.ended(),
        }
    }

    fn message(&mut self, at: Counted, message: Option<Arc<Message>>, kept: &Kept) -> Turn {
        match &self.stage {
            Stage::Behind => {
                self.behind = at.count;
                self.high.count = at.count;
                self.look(Stage::Oldest, 1)
            }
            Stage::Last => {
                self.high = at;
                if self.query.limit == 1 {
                    self.push(message, kept);
                    return Turn::Done;
                }
                self.look(Stage::Oldest, 1)
            }
            Stage::Oldest => self.oldest(at, kept),
            Stage::Search(search, place) => self.found(*search, *place, Some(at)),
            Stage::Range => self.read(at, message, kept),
        }
    }

    fn nothing(&mut self) -> Turn {
        match &self.stage {
            // None is behind them.
            Stage::Behind => self.look(Stage::Oldest, 1),
            Stage::Search(search, place) => self.found(*search, *place, None),
            Stage::Last | Stage::Oldest | Stage::Range => Turn::Done,
        }
    }

    /// The oldest message of the room, and with it how many there are.
    fn oldest(&mut self, at: Counted, kept: &Kept) -> Turn {
        let most = at.count.min(kept.most());
        let before_all = self.query.before.is_some_and(|before| at.offset >= before);
        if self.behind >= most || before_all {
            return Turn::Done;
        }
        let wanted = (self.query.limit as u64).min(most - self.behind);
        self.seek(at, wanted)
    }

    /// Reads from where so many messages of the page begin, at or after `low`.
    fn seek(&mut self, low: Counted, wanted: u64) -> Turn {
        let (count, slack) = (self.behind + wanted, wanted / 4 + 3);
        if low.count <= count + slack {
            return self.read_from(low);
        }
        self.search(Search::new(low, self.high, count, slack))
    }

    fn search(&mut self, search: Search) -> Turn {
        match search.place() {
            Some(place) => self.look(Stage::Search(search, place), place),
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
        (self.stage, self.answered) = (Stage::Range, 0);
        let messages = first.count.saturating_sub(self.behind);
        Turn::Ask(Question::Range(first.offset, messages.max(1)))
    }

    fn read(&mut self, at: Counted, message: Option<Arc<Message>>, kept: &Kept) -> Turn {
        if self.query.before.is_some_and(|before| at.offset >= before) {
            return Turn::Done;
        }
        self.reached = at;
        self.answered += 1;
        if at.count <= kept.most() {
            self.push(message, kept);
        }
        if at.count <= self.behind + 1 {
            return Turn::Done;
        }
        Turn::Wait
    }

    /// The answer was full. Where it was so by its bytes, the page begins later than was thought.
    fn ended(&mut self) -> Turn {
        let Stage::Range = self.stage else {
            return Turn::Done;
        };
        let left = (self.reached.count.saturating_sub(1)).saturating_sub(self.behind);
        let fit = self.answered.max(1);
        if left == 0 {
            return Turn::Done;
        }
        if self.query.max_bytes.is_none() || left <= fit {
            let next = Counted {
                offset: self.reached.offset.saturating_add(1),
                count: self.reached.count - 1,
            };
            return self.read_from(next);
        }
        self.messages.clear();
        self.more = true;
        let low = self.reached;
        self.seek(low, fit)
    }

    fn push(&mut self, message: Option<Arc<Message>>, kept: &Kept) {
        if let Some(message) = message.filter(|message| !kept.is_old(Some(message))) {
            self.messages.push_back(message);
            if self.messages.len() > self.query.limit {
                self.messages.pop_front();
            }
        }
    }

    /// The page.
    pub(super) fn page(self) -> Page {
        let mut page = Page {
            messages: self.messages.into(),
            truncated: false,
            more: self.more,
        };
        page.cut(&self.query);
        page
    }
}
