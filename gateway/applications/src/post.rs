//! The way from a gateway to instances.

use std::{fmt, pin::Pin};

use sluice_nats::link::{Link, NO_HEADERS};

/// How messages leave. They may be lost: what must arrive is sent again by who sends it.
pub trait Post: fmt::Debug + Send + Sync + 'static {
    /// Sends a message to a subject.
    fn publish(&self, subject: &str, message: &[u8]);

    /// Whether what is sent now may arrive, and who is silent might have been heard.
    fn is_connected(&self) -> bool;

    /// Sends what waits, and ends.
    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Over NATS.
pub(crate) struct Nats(pub(crate) Link);

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Nats").finish_non_exhaustive()
    }
}

impl Post for Nats {
    fn publish(&self, subject: &str, message: &[u8]) {
        // What is not sent is sent again when its acknowledgement does not come.
        let _ = self.0.publish(subject, None, NO_HEADERS, message);
    }

    fn is_connected(&self) -> bool {
        self.0.is_connected()
    }

    fn close(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.close())
    }
}
