//! What a link counts.

/// What a link counted since it was made, and what it holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Messages that arrived.
    pub messages_in: u64,
    /// Bytes that arrived, of whatever kind.
    pub bytes_in: u64,
    /// Messages that were accepted to be sent.
    pub messages_out: u64,
    /// The bytes of their headers and payloads.
    pub bytes_out: u64,
    /// Connections, the first one included.
    pub connects: u64,
    /// Messages that were lost or refused because there was no connection.
    pub dropped: u64,
    /// Messages that were refused for another reason.
    pub refused: u64,
    /// Errors that the servers sent.
    pub errors: u64,
    /// Subjects that are subscribed to.
    pub subscriptions: usize,
    /// Bytes that wait to be written.
    pub waiting_bytes: usize,
}

/// What is counted where messages are sent.
#[derive(Debug, Default)]
pub(super) struct Sent {
    messages: u64,
    bytes: u64,
    pub(super) refused: u64,
    pub(super) connects: u64,
    pub(super) dropped: u64,
}

impl Sent {
    pub(super) fn message(&mut self, size: usize) {
        self.messages += 1;
        self.bytes += size as u64;
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            messages_out: self.messages,
            bytes_out: self.bytes,
            refused: self.refused,
            connects: self.connects,
            dropped: self.dropped,
            ..Stats::default()
        }
    }
}
