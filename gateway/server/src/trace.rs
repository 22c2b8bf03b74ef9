//! What is followed in the logs while the gateway runs.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwapOption;
use sluice_rooms::SessionId;

/// Whom or what to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filter {
    User(Box<str>),
    Room(Box<str>),
    Session(SessionId),
}

/// The filter that holds, if any. Asking costs one relaxed load while there is none.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    on: AtomicBool,
    filter: ArcSwapOption<Filter>,
}

impl Trace {
    /// Follows what `filter` says from now on, or nothing.
    pub(crate) fn set(&self, filter: Option<Filter>) {
        let on = filter.is_some();
        self.filter.store(filter.map(Arc::new));
        self.on.store(on, Ordering::Relaxed);
    }

    /// What is followed now.
    pub(crate) fn filter(&self) -> Option<Arc<Filter>> {
        if self.on.load(Ordering::Relaxed) {
            self.filter.load_full()
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_followed_until_somebody_asks() {
        let trace = Trace::default();
        assert_eq!(trace.filter(), None);
        trace.set(Some(Filter::Room("lobby".into())));
        assert_eq!(
            trace.filter().as_deref(),
            Some(&Filter::Room("lobby".into()))
        );
        trace.set(None);
        assert_eq!(trace.filter(), None);
    }
}
