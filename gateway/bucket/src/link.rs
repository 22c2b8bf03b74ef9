//! Whether there is a connection.

/// What was heard of the connection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Link {
    pub(crate) up: bool,
    /// How often it was connected.
    pub(crate) times: u64,
}
