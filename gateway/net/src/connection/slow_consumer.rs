//! A client that reads too slowly: noticed where a message does not fit any more, and ended.

use std::rc::Rc;

use sluice_contract::Cause;

use super::Connection;
use crate::SharedFrame;

impl Connection {
    /// Queues a message, or closes the connection where it does not fit.
    pub fn send_or_close(self: &Rc<Self>, frame: &SharedFrame) {
        if self.send(frame).is_err() {
            self.close(Cause::SlowConsumer);
        }
    }

    /// Counts the client as a slow consumer, and drops what waits for it, so that the close frame
    /// is not behind it.
    pub(super) fn give_up(&self) {
        self.worker.counters().slow_consumers.add(1);
        self.cut();
    }

    /// Drops what waits, but for a frame of which a part is written.
    pub(super) fn cut(&self) {
        let counters = self.worker.counters();
        let (frames, bytes) = self.queue.borrow_mut().cut();
        counters.dropped.add(frames as u64);
        counters.queued_bytes.sub(bytes as u64);
    }
}
