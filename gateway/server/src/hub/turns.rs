//! What must not overtake what the worker has still to read.
//!
//! An answer with an offset, or a picture of who is there, is true once all that was accepted before
//! it has been sent: a client that goes on from it would miss the rest.

use std::{cell::RefCell, collections::VecDeque};

use sluice_net::inbox;

use crate::inboxes::InboxItem;

type Then = Box<dyn FnOnce()>;

/// What was put off, in the order of its turns in the inbox.
pub(super) struct Turns {
    inbox: inbox::Sender<InboxItem>,
    put_off: RefCell<VecDeque<Then>>,
}

impl Turns {
    pub(super) fn new(inbox: inbox::Sender<InboxItem>) -> Self {
        Self {
            inbox,
            put_off: RefCell::default(),
        }
    }

    /// Does something behind all that was left for the worker before: at once where it has read
    /// everything.
    pub(super) fn behind(&self, then: impl FnOnce() + 'static) {
        if self.inbox.is_idle() {
            return then();
        }
        self.put_off.borrow_mut().push_back(Box::new(then));
        let item = InboxItem::Turn;
        let bytes = item.size();
        self.inbox.send_always(item, bytes);
    }

    /// It is the turn of what was put off first.
    pub(super) fn next(&self) {
        let next = self.put_off.borrow_mut().pop_front();
        if let Some(then) = next {
            then();
        }
    }
}
