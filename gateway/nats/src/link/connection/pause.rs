//! Reading stops while there is no room for what would come.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Sleep, sleep};

const ASK_AGAIN_AFTER: Duration = Duration::from_millis(2);

/// Waits until the handler takes messages again.
#[derive(Debug, Default)]
pub(super) struct Pause(Option<Pin<Box<Sleep>>>);

impl Pause {
    /// Ready when there is room.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, is_full: impl Fn() -> bool) -> Poll<()> {
        loop {
            if let Some(sleep) = &mut self.0 {
                std::task::ready!(sleep.as_mut().poll(cx));
                self.0 = None;
            }
            if !is_full() {
                return Poll::Ready(());
            }
            self.0 = Some(Box::pin(sleep(ASK_AGAIN_AFTER)));
        }
    }
}
