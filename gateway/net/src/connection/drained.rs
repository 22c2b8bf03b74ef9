//! Whether a client takes what is written to it.

use super::Connection;

impl Connection {
    /// Waits until the socket has taken all that was queued, or the connection has ended. Whoever
    /// has more to say than may wait for the client goes on then, as fast as it reads.
    pub async fn drained(&self) {
        let drained = self.drained.get_or_init(Default::default);
        loop {
            let notified = drained.notified();
            if self.queued_bytes() == 0 || self.ended.get().is_some() {
                return;
            }
            notified.await;
        }
    }

    pub(super) fn tell_drained(&self) {
        if let Some(drained) = self.drained.get() {
            drained.notify_waiters();
        }
    }

    /// Whether the client has taken no byte of what waits for it since this was last asked.
    pub fn is_stuck(&self) -> bool {
        let written = self.queue.borrow().written();
        self.looked_at.replace(written) == written && self.blocked.get()
    }
}
