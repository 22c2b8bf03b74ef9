//! Many client connections on one thread: sockets, their set-up, and the loop that reads them.

pub(crate) mod connection;
pub(crate) mod dial;
pub(crate) mod pool;
pub(crate) mod setup;
pub(crate) mod stream;
