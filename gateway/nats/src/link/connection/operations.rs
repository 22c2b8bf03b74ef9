//! What is done with what a server sends.

use std::{sync::atomic::Ordering::Relaxed, time::Instant};

use crate::link::{
    Handler, ServerInfo, ServerUrl,
    complaint::{Complaint, understand},
    protocol::{Operation, encode},
    quiet::Quiet,
    servers::Servers,
    shared::Shared,
};

pub(super) struct Operations<'a, H> {
    shared: &'a Shared,
    pub(super) servers: &'a mut Servers,
    pub(super) handler: &'a mut H,
    url: ServerUrl,
    quiet: Quiet,
    /// What the server complained of last, if the connection may end for it.
    pub(super) complaint: Option<String>,
    /// How many `PING`s were sent, and how many were answered.
    pub(super) pings: u64,
    pub(super) pongs: u64,
}

impl<'a, H: Handler> Operations<'a, H> {
    pub(super) fn new(
        shared: &'a Shared,
        servers: &'a mut Servers,
        handler: &'a mut H,
        url: ServerUrl,
    ) -> Self {
        Self {
            shared,
            servers,
            handler,
            url,
            quiet: Quiet::default(),
            complaint: None,
            pings: 0,
            pongs: 0,
        }
    }

    /// Counts bytes that were read.
    pub(super) fn read(&self, bytes: usize) {
        self.shared.bytes_in.fetch_add(bytes as u64, Relaxed);
    }

    /// Does what one operation asks for. What the server says of itself comes back.
    pub(super) fn apply(&mut self, operation: Operation) -> Option<Box<ServerInfo>> {
        match operation {
            Operation::Message(_, packet) => {
                self.shared.messages_in.fetch_add(1, Relaxed);
                self.handler.message(packet);
            }
            Operation::Ping => self.shared.change(|outbox| outbox.operation(encode::PONG)),
            Operation::Pong => self.pongs += 1,
            Operation::Ok => {}
            Operation::Error(text) => self.complain(text),
            Operation::Info(info) => {
                self.servers.learn(&self.url, &info);
                self.shared
                    .change(|outbox| outbox.set_max_payload(info.max_payload));
                self.handler.server_changed(&info);
                return Some(info);
            }
        }
        None
    }

    /// The server itself closes the connection where its complaint demands that.
    fn complain(&mut self, text: String) {
        self.shared.errors.fetch_add(1, Relaxed);
        let (complaint, todo) = understand(&text);
        if self.quiet.is_news(&text, Instant::now()) {
            tracing::warn!(server = %self.url, "the NATS server complains: {text}; {todo}");
        } else {
            tracing::debug!(server = %self.url, "the NATS server still complains: {text}");
        }
        if complaint != Complaint::Operation {
            self.complaint = Some(text);
        }
    }
}
