//! What is to be sent, in order, and what must be sent again after a reconnect.

use thiserror::Error;

use super::{
    protocol::{
        ServerInfo,
        encode::{self, header_size, is_header, is_subject},
    },
    stats::{Sent, Stats},
    subjects::Subjects,
};

/// The most bytes that wait to be written; a message that would come on top is refused.
pub const MAX_WAITING: usize = 64 * 1024 * 1024;

/// Why a message was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// There is no connection.
    #[error("there is no connection to NATS; try again when there is one")]
    NotConnected,
    /// Too much waits.
    #[error("{MAX_WAITING} bytes wait to be sent to NATS; try again later")]
    Full,
    /// The server would not take it.
    #[error("the message is larger than the NATS servers allow; raise their max_payload")]
    TooLarge,
    /// The subject or the subject for answers cannot be written.
    #[error("a NATS subject has 1 to {max} bytes and no blanks", max = encode::MAX_SUBJECT)]
    InvalidSubject,
    /// A header cannot be written.
    #[error("a NATS header is a name without blanks or colons, and a value in one line")]
    InvalidHeader,
}

impl Refused {
    /// The stable code for logs and counters.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotConnected => "nats_not_connected",
            Self::Full => "nats_link_full",
            Self::TooLarge => "nats_message_too_large",
            Self::InvalidSubject => "nats_invalid_subject",
            Self::InvalidHeader => "nats_invalid_header",
        }
    }
}

/// Bytes to write, whole operations in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    subjects: Subjects,
    bytes: Vec<u8>,
    /// How many messages are in `bytes`.
    messages: u64,
    /// How many bytes are being written.
    on_the_way: usize,
    max_payload: usize,
    connected: bool,
    closing: bool,
    sent: Sent,
}

impl Outbox {
    pub(super) fn subscribe(&mut self, subject: &str) {
        let Some(sid) = self.subjects.add(subject) else {
            return;
        };
        if self.connected {
            encode::subscribe(subject, sid, &mut self.bytes);
        }
    }

    pub(super) fn unsubscribe(&mut self, subject: &str) {
        let Some(sid) = self.subjects.remove(subject) else {
            return;
        };
        if self.connected {
            encode::unsubscribe(sid, &mut self.bytes);
        }
    }

    pub(super) fn publish<N: AsRef<str>, V: AsRef<str>>(
        &mut self,
        subject: &str,
        reply: Option<&str>,
        headers: &[(N, V)],
        payload: &[u8],
    ) -> Result<(), Refused> {
        let size = header_size(headers) + payload.len();
        if let Err(refused) = self.check(subject, reply, headers, size) {
            match refused {
                Refused::NotConnected => self.sent.dropped += 1,
                _ => self.sent.refused += 1,
            }
            return Err(refused);
        }
        encode::publish(subject, reply, headers, payload, &mut self.bytes);
        self.messages += 1;
        self.sent.message(size);
        Ok(())
    }

    fn check<N: AsRef<str>, V: AsRef<str>>(
        &self,
        subject: &str,
        reply: Option<&str>,
        headers: &[(N, V)],
        size: usize,
    ) -> Result<(), Refused> {
        if !is_subject(subject) || !reply.is_none_or(is_subject) {
            return Err(Refused::InvalidSubject);
        }
        let mut headers = headers.iter();
        if !headers.all(|(name, value)| is_header(name.as_ref(), value.as_ref())) {
            return Err(Refused::InvalidHeader);
        }
        if !self.connected || self.closing {
            return Err(Refused::NotConnected);
        }
        if size > self.max_payload {
            return Err(Refused::TooLarge);
        }
        if self.waiting() + size > MAX_WAITING {
            return Err(Refused::Full);
        }
        Ok(())
    }

    /// An operation of the link's own.
    pub(super) fn operation(&mut self, operation: &[u8]) {
        self.bytes.extend_from_slice(operation);
    }

    /// A connection is there: all subscriptions go first, before what is left from a connection
    /// that ended in an orderly way.
    pub(super) fn begin(&mut self, server: &ServerInfo) {
        self.connected = true;
        self.max_payload = server.max_payload;
        let left = std::mem::take(&mut self.bytes);
        for (subject, sid) in self.subjects.iter() {
            encode::subscribe(subject, sid, &mut self.bytes);
        }
        self.bytes.extend_from_slice(&left);
        self.sent.connects += 1;
    }

    /// The connection is lost, and with it whatever was not written.
    pub(super) fn end(&mut self) {
        self.connected = false;
        self.bytes = Vec::new();
        self.on_the_way = 0;
        self.sent.dropped += std::mem::take(&mut self.messages);
    }

    /// The server tells another bound.
    pub(super) fn set_max_payload(&mut self, max_payload: usize) {
        self.max_payload = max_payload;
    }

    /// Moves what is to be written into `writing`, which was written; whether there was any.
    pub(super) fn take(&mut self, writing: &mut Vec<u8>) -> bool {
        writing.clear();
        std::mem::swap(writing, &mut self.bytes);
        self.on_the_way = writing.len();
        self.messages = 0;
        !writing.is_empty()
    }

    /// Nothing is accepted any more.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connected
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn waiting(&self) -> usize {
        self.bytes.len() + self.on_the_way
    }

    pub(super) fn stats(&self) -> Stats {
        let stats = self.sent.stats();
        Stats {
            subscriptions: self.subjects.len(),
            waiting_bytes: self.waiting(),
            ..stats
        }
    }
}
