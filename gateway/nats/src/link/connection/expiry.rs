//! Going over to a login that lasts longer, before the server ends this one.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::time::{Instant, Sleep, sleep};

use crate::link::{Logins, Renewal};

/// Looks for such a login, if the present one expires at all.
pub(super) struct Expiry(Option<(Renewal, Pin<Box<Sleep>>)>);

impl Expiry {
    pub(super) fn new(logins: &Logins, expires: Option<u64>) -> Self {
        Self(expires.map(|expires| {
            let renewal = Renewal::new(logins.clone(), expires);
            let first = Box::pin(sleep(renewal.first()));
            (renewal, first)
        }))
    }

    /// Ready once, when there is one.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some((renewal, look)) = &mut self.0 {
            std::task::ready!(look.as_mut().poll(cx));
            if renewal.is_there() {
                self.0 = None;
                return Poll::Ready(());
            }
            look.as_mut().reset(Instant::now() + renewal.every());
        }
        Poll::Pending
    }
}
