//! Messages that many sessions are sent again, encoded once.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::Arc,
};

use rustc_hash::FxHashMap;
use sluice_rooms::Message;

use crate::hub::Encoded;

/// The most bytes of messages whose encodings are kept.
const KEEP: usize = 4 << 20;

/// The messages that were replayed last. Sessions that come back together, as after the loss of a
/// gateway, are sent the same ones at the same time.
#[derive(Default)]
pub(in crate::hub) struct Encodings {
    /// By the address of the message, which its encoding keeps from being another's.
    kept: RefCell<FxHashMap<usize, Rc<Encoded>>>,
    /// The addresses, the oldest first, and the sizes.
    order: RefCell<VecDeque<(usize, usize)>>,
    bytes: Cell<usize>,
    used: Cell<bool>,
}

impl Encodings {
    /// A message for sessions of a namespace. Its encodings are kept where others have the message
    /// too: in a history that is not in memory, each reader has its own.
    pub(super) fn of(&self, namespace: &Arc<str>, message: &Arc<Message>) -> Rc<Encoded> {
        let address = Arc::as_ptr(message).addr();
        if let Some(known) = self.kept.borrow().get(&address) {
            return Rc::clone(known);
        }
        let encoded = Rc::new(Encoded::message(namespace, Arc::clone(message)));
        // One is in the replay, and one in what was just made.
        if Arc::strong_count(message) > 2 {
            self.keep(address, message.size(), &encoded);
        }
        encoded
    }

    fn keep(&self, address: usize, size: usize, encoded: &Rc<Encoded>) {
        let (mut kept, mut order) = (self.kept.borrow_mut(), self.order.borrow_mut());
        kept.insert(address, Rc::clone(encoded));
        order.push_back((address, size));
        self.used.set(true);
        self.bytes.set(self.bytes.get() + size);
        while self.bytes.get() > KEEP
            && let Some((address, size)) = order.pop_front()
        {
            kept.remove(&address);
            self.bytes.set(self.bytes.get() - size);
        }
    }

    /// Forgets all where none was added since this was called last.
    pub(in crate::hub) fn forget_unused(&self) {
        if !self.used.take() && self.bytes.get() > 0 {
            self.kept.take();
            self.order.take();
            self.bytes.set(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn message(data: &str) -> Arc<Message> {
        Arc::new(Message {
            room: None,
            event: "e".into(),
            data: data.into(),
            attachments: Vec::new(),
            from: None,
            id: "1".into(),
            position: None,
            read: None,
            time: 0,
            accepted: Instant::now(),
            except: None,
        })
    }

    #[test]
    fn a_message_that_others_have_is_encoded_once_while_it_is_replayed() {
        let (encodings, namespace) = (Encodings::default(), Arc::from("/"));
        let (shared, own) = (message("1"), message("2"));
        let history = Arc::clone(&shared);
        let first = encodings.of(&namespace, &shared);
        assert!(Rc::ptr_eq(&first, &encodings.of(&namespace, &history)));
        drop(encodings.of(&namespace, &own));
        drop(encodings.of(&namespace, &own));
        encodings.forget_unused();
        assert_eq!(encodings.kept.borrow().len(), 1);
        encodings.forget_unused();
        assert!(encodings.kept.borrow().is_empty());
    }

    #[test]
    fn what_is_kept_is_bounded_in_bytes() {
        let (encodings, namespace) = (Encodings::default(), Arc::from("/"));
        let history: Vec<_> = (0..20).map(|_| message(&"1".repeat(1 << 20))).collect();
        for message in &history {
            encodings.of(&namespace, &Arc::clone(message));
        }
        assert!(encodings.bytes.get() <= KEEP);
        assert_eq!(
            encodings.kept.borrow().len(),
            encodings.order.borrow().len()
        );
        assert!(encodings.kept.borrow().len() < 5);
    }
}
