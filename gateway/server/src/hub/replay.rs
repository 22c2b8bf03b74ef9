//! What a session missed, sent no faster than its client reads.

use std::{collections::VecDeque, rc::Rc, sync::Arc};

use sluice_net::Cause;
use sluice_rooms::Message;

use super::{Encoded, Hub, Session};

/// The most messages that wait in a replay, what was missed and what came since. A client that
/// is further behind comes back and recovers again.
const MAX_REPLAY: usize = 100_000;

/// The most bytes of newer messages that wait behind a replay.
const MAX_NEWER: usize = 16 << 20;

/// How much is sent at once: what one write takes. The rest follows when the socket has taken it, so
/// that others have their turn in between.
const CHUNK: usize = 64 * 1024;

/// Messages that are to be sent before any newer one.
#[derive(Debug)]
pub(crate) struct Replay {
    messages: VecDeque<Arc<Message>>,
    /// What has come since takes so many bytes.
    newer: usize,
}

impl Replay {
    /// A replay of these messages; none where there are none.
    pub(super) fn of(messages: Vec<Arc<Message>>) -> Option<Box<Self>> {
        let messages: VecDeque<_> = messages.into();
        (!messages.is_empty()).then(|| Box::new(Self { messages, newer: 0 }))
    }

    /// The offset before its first message: all that is to be sent has a greater one.
    pub(super) fn begins_after(&self) -> u64 {
        let first = self.messages.front();
        first.map_or(u64::MAX, |message| message.offset().saturating_sub(1))
    }
}

impl Session {
    /// Puts a kept message behind the replay. False where there is none, and the message can be
    /// sent as it is.
    pub(super) fn defer(&self, message: &Encoded) -> bool {
        let mut replay = self.replay.borrow_mut();
        let (Some(replay), Some(message)) = (replay.as_mut(), message.kept()) else {
            return false;
        };
        replay.newer += message.size();
        replay.messages.push_back(Arc::clone(message));
        if replay.messages.len() > MAX_REPLAY || replay.newer > MAX_NEWER {
            self.close(Cause::SlowConsumer);
        }
        true
    }
}

impl Hub {
    /// Sends a session's replay: some of it now, and the rest as its client reads.
    pub(crate) fn send_replay(self: &Rc<Self>, session: &Rc<Session>) {
        if self.send_some(session) {
            return;
        }
        let (hub, session) = (Rc::clone(self), Rc::clone(session));
        tokio::task::spawn_local(async move {
            loop {
                session.drained().await;
                let is_over = session.ended.get() || session.is_detached();
                if is_over || hub.send_some(&session) {
                    return;
                }
                // What was sent is written before more is.
                tokio::task::yield_now().await;
            }
        });
    }

    /// Whether the whole replay is sent.
    fn send_some(&self, session: &Session) -> bool {
        let mut replay = session.replay.borrow_mut();
        let Some(waiting) = replay.as_mut() else {
            return true;
        };
        // Half of what may wait is left to messages of other kinds.
        let half = self.policy.borrow().limits.outbound_bytes / 2;
        let enough = if session.is_polling() {
            half
        } else {
            half.min(CHUNK)
        };
        while let Some(message) = waiting.messages.front() {
            if session.queued_bytes() > enough {
                return false;
            }
            let encoded = Encoded::message(&session.namespace.name, Arc::clone(message));
            if session.send(&encoded).is_err() {
                return false;
            }
            self.counters.deliveries.add(1);
            waiting.messages.pop_front();
        }
        *replay = None;
        true
    }
}
