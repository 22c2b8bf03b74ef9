//! The long-polling transport: what waits for the client, and the request that waits for it.

use std::rc::Rc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use sluice_net::{Cause, Connection, Full};
use tokio::sync::{Notify, oneshot};

/// Separates the packets of a payload.
const SEPARATOR: u8 = 0x1e;

/// A poll's answer: a payload, or that there is no such session.
pub(crate) type Polled = Result<Bytes, crate::Refusal>;

/// The state of a session while it polls.
#[derive(Debug, Default)]
pub(crate) struct Polling {
    queue: Vec<Bytes>,
    bytes: usize,
    waiting: Option<oneshot::Sender<Polled>>,
    /// A POST is being read; a second one breaks the protocol.
    pub(crate) posting: bool,
    /// The WebSocket that a client probes, and whether the probe was answered.
    pub(crate) probe: Option<Rc<Connection>>,
    probed: bool,
    closing: Option<Cause>,
    /// Wakes the task that answers polls and ends closed sessions.
    wake: Rc<Notify>,
}

impl Polling {
    pub(crate) fn wake(&self) -> Rc<Notify> {
        Rc::clone(&self.wake)
    }

    /// Queues a frame for the next poll.
    pub(crate) fn push(&mut self, frame: Bytes, limit: usize) -> Result<(), Full> {
        if self.bytes + frame.len() > limit && !self.queue.is_empty() {
            return Err(Full);
        }
        self.bytes += frame.len();
        self.queue.push(frame);
        self.wake.notify_one();
        Ok(())
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.bytes
    }

    /// Begins the end; the session's task finishes it.
    pub(crate) fn close(&mut self, cause: Cause) {
        self.closing.get_or_insert(cause);
        self.wake.notify_one();
    }

    pub(crate) fn closing(&self) -> Option<Cause> {
        self.closing
    }

    /// A poll came. The one that waits already says that the client has lost its way.
    pub(crate) fn wait(&mut self, poll: oneshot::Sender<Polled>) -> Result<(), ()> {
        if self.waiting.is_some() {
            return Err(());
        }
        self.waiting = Some(poll);
        self.wake.notify_one();
        Ok(())
    }

    /// Answers the poll that waits, if there is something to say.
    pub(crate) fn answer(&mut self) {
        if self.waiting.is_some() && (!self.queue.is_empty() || self.probed) {
            let payload = self.take_payload();
            self.reply(payload);
        }
    }

    /// Answers the poll that waits with one last packet.
    pub(crate) fn dismiss(&mut self, packet: &'static [u8]) {
        self.reply(Bytes::from_static(packet));
    }

    fn reply(&mut self, payload: Bytes) {
        if let Some(waiting) = self.waiting.take() {
            // The client may have gone; its request's guard ends the session then.
            let _ = waiting.send(Ok(payload));
        }
    }

    fn take_payload(&mut self) -> Bytes {
        if self.queue.is_empty() {
            return Bytes::from_static(b"6");
        }
        self.bytes = 0;
        let mut payload = Vec::new();
        for (i, frame) in std::mem::take(&mut self.queue).into_iter().enumerate() {
            if i > 0 {
                payload.push(SEPARATOR);
            }
            append(&mut payload, &frame);
        }
        payload.into()
    }

    /// The probe was answered: from now on a poll without news ends with a noop, so that the
    /// client can stop polling.
    pub(crate) fn probed(&mut self) {
        self.probed = true;
        self.answer();
    }

    /// The probing WebSocket went away.
    pub(crate) fn forget_probe(&mut self) {
        self.probe = None;
        self.probed = false;
    }

    /// Ends polling for the WebSocket; returns what is still to be said.
    pub(crate) fn upgrade(mut self) -> Vec<Bytes> {
        self.dismiss(b"6");
        self.wake.notify_one();
        self.queue
    }

    /// Ends polling and the WebSocket that was to follow it.
    pub(crate) fn end(self, cause: Cause) {
        if let Some(probe) = self.probe {
            probe.close(cause);
        }
        self.wake.notify_one();
    }
}

/// Appends what a WebSocket frame carries as a packet of a payload: text as it is, binary in
/// base64 behind a `b`.
fn append(payload: &mut Vec<u8>, frame: &[u8]) {
    let header = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        _ => 2,
    };
    let body = frame.get(header..).unwrap_or_default();
    if frame.first().is_some_and(|b| b & 0x0f == 2) {
        payload.push(b'b');
        payload.extend_from_slice(STANDARD.encode(body).as_bytes());
    } else {
        payload.extend_from_slice(body);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_net::Outgoing;

    #[test]
    fn a_payload_joins_text_and_binary_packets() {
        let mut polling = Polling::default();
        for outgoing in [Outgoing::text("4hello"), Outgoing::binary(&[1, 2, 3, 4])] {
            polling.push(outgoing.frame().clone(), 100).unwrap();
        }
        assert_eq!(polling.take_payload(), &b"4hello\x1ebAQIDBA=="[..]);
        assert_eq!(polling.queued_bytes(), 0);
    }

    #[test]
    fn a_second_poll_is_refused_while_one_waits() {
        let mut polling = Polling::default();
        assert_eq!(polling.wait(oneshot::channel().0), Ok(()));
        assert_eq!(polling.wait(oneshot::channel().0), Err(()));
    }

    #[test]
    fn a_full_queue_refuses_a_frame() {
        let mut polling = Polling::default();
        assert_eq!(polling.push(Bytes::from_static(b"\x81\x01a"), 4), Ok(()));
        assert_eq!(polling.push(Bytes::from_static(b"\x81\x01b"), 4), Err(Full));
    }
}
