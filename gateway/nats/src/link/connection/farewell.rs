//! The end of a connection that is closed: nothing that was sent is lost.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::time::{Sleep, sleep};

use crate::link::CLOSE_WITHIN;

/// Waits for the answer to a last `PING`. A connection that is closed while something is unread
/// is reset, and the server would then lose what it had not read.
#[derive(Debug, Default)]
pub(super) struct Farewell(Option<(u64, Pin<Box<Sleep>>)>);

impl Farewell {
    /// The `PING` of this number is the last.
    pub(super) fn say(&mut self, ping: u64) {
        self.0 = Some((ping, Box::pin(sleep(CLOSE_WITHIN))));
    }

    pub(super) fn is_said(&self) -> bool {
        self.0.is_some()
    }

    /// Ready when the last `PING` is answered, or has waited long enough.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, pongs: u64) -> Poll<()> {
        match &mut self.0 {
            None => Poll::Pending,
            Some((ping, _)) if pongs >= *ping => Poll::Ready(()),
            Some((_, deadline)) => deadline.as_mut().poll(cx),
        }
    }
}
