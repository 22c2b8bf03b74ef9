//! The long-polling transport: what waits for the client, and the request that waits for it.

mod payload;

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use sluice_net::{Cause, Connection, Full, Refill, Refills, Worker};
use sluice_util::QueuedBytes;
use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use self::payload::payload;
use crate::refusal::Refusal;

/// A packet that ends the session.
pub(crate) const CLOSE: &[u8] = b"1";

/// A packet that only answers a poll.
pub(crate) const NOOP: &[u8] = b"6";

/// How often a poll of a client that moves to a WebSocket ends without news, so that the client can
/// stop polling; as in the JavaScript server.
const NOOP_EVERY: Duration = Duration::from_millis(100);

/// A poll's answer: a payload, or that there is no such session.
pub(crate) type Polled = Result<Bytes, Refusal>;

/// What became of a request that must be the only one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The request may go on.
    Taken,
    /// Another one is not done yet, which breaks the protocol.
    Overlaps,
    /// The session does not poll.
    NotPolling,
}

/// What is to be done for a session that polls.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tended {
    /// Nothing until it is woken.
    Open,
    /// Nothing until it is woken or that time has come: the client moves to a WebSocket.
    Moving(Instant),
    /// It was closed; its client does not know yet.
    Closing(Cause),
    /// It was closed, and its client was told if it can be.
    Closed(Cause),
}

/// The state of a session while it polls.
#[derive(Debug)]
pub(crate) struct Polling {
    worker: Rc<Worker>,
    queue: Vec<Bytes>,
    queued: QueuedBytes,
    refills: Refills,
    waiting: Option<oneshot::Sender<Polled>>,
    posting: bool,
    /// The WebSocket that a client probes.
    probe: Option<Rc<Connection>>,
    /// When the next noop may go, once the probe was answered.
    noop_from: Option<Instant>,
    closing: Option<Cause>,
    /// Wakes the task that answers polls and ends closed sessions.
    wake: Rc<Notify>,
    /// Whether a poll was answered since this was asked last.
    progressed: bool,
}

impl Polling {
    pub(crate) fn new(worker: Rc<Worker>) -> Self {
        Self {
            worker,
            queue: Vec::new(),
            queued: QueuedBytes::default(),
            refills: Refills::default(),
            waiting: None,
            posting: false,
            probe: None,
            noop_from: None,
            closing: None,
            wake: Rc::default(),
            progressed: false,
        }
    }

    pub(crate) fn wake(&self) -> Rc<Notify> {
        Rc::clone(&self.wake)
    }

    /// Queues a frame for the next poll. Nothing follows a close.
    pub(crate) fn push(&mut self, frame: Bytes, limit: usize) -> Result<(), Full> {
        self.push_all(std::iter::once(frame), limit)
    }

    /// Queues frames that are of no use without each other: all of them, or none.
    pub(crate) fn push_all(
        &mut self,
        frames: impl Iterator<Item = Bytes> + Clone,
        limit: usize,
    ) -> Result<(), Full> {
        if self.closing.is_some() {
            return Ok(());
        }
        let bytes = frames.clone().map(|frame| frame.len()).sum();
        self.queued.admit(bytes, self.worker.may_wait(limit))?;
        let before = self.queue.len();
        self.queue.extend(frames);
        let counters = self.worker.counters();
        counters.frames_out.add((self.queue.len() - before) as u64);
        counters.queued_bytes.add(bytes as u64);
        if self.queued.bytes() > limit / 2 && self.queued.bytes() - bytes <= limit / 2 {
            // The poll that waits can take it, once its task runs.
            self.worker.crowd();
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Has more asked for once a poll has taken all that waits.
    pub(crate) fn refill_with(&mut self, refill: Refill) {
        if self.closing.is_none() {
            self.refills.add(refill);
            self.wake.notify_one();
        }
    }

    /// Who is to be asked for more now.
    pub(crate) fn next_refill(&mut self) -> Option<Refill> {
        let asks = self.queue.is_empty() && self.closing.is_none();
        asks.then(|| self.refills.next()).flatten()
    }

    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued.bytes()
    }

    /// Whether something waits, and no poll came for it since this was asked last.
    pub(crate) fn is_stuck(&mut self) -> bool {
        !std::mem::take(&mut self.progressed) && self.queued.bytes() > 0
    }

    /// Begins the end; the session's task finishes it.
    pub(crate) fn close(&mut self, cause: Cause) {
        if self.closing.is_some() {
            return;
        }
        self.closing = Some(cause);
        self.refills.clear();
        if cause == Cause::SlowConsumer {
            self.worker.counters().slow_consumers.add(1);
            self.worker.counters().dropped.add(self.queue.len() as u64);
            self.take_queue();
        }
        self.wake.notify_one();
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// A poll came. The one that waits already says that the client has lost its way.
    pub(crate) fn wait(&mut self, poll: oneshot::Sender<Polled>) -> Turn {
        if self.waiting.is_some() {
            return Turn::Overlaps;
        }
        self.waiting = Some(poll);
        self.wake.notify_one();
        Turn::Taken
    }

    /// A POST begins.
    pub(crate) fn begin_post(&mut self) -> Turn {
        if std::mem::replace(&mut self.posting, true) {
            Turn::Overlaps
        } else {
            Turn::Taken
        }
    }

    pub(crate) fn end_post(&mut self) {
        self.posting = false;
    }

    /// Answers the poll that waits, if there is something to say.
    pub(crate) fn tend(&mut self) -> Tended {
        let waits = self.waiting.is_some();
        match self.closing {
            Some(cause) if waits => self.say_goodbye(cause),
            // These clients do not ask any more.
            Some(cause @ (Cause::Heartbeat | Cause::SlowConsumer)) => Tended::Closed(cause),
            Some(cause) => Tended::Closing(cause),
            None => {
                if waits && !self.queue.is_empty() {
                    self.answer_with(b"");
                } else if waits && let Some(from) = self.noop_from {
                    return self.noop(from);
                }
                Tended::Open
            }
        }
    }

    /// Answers the poll that waits without news, unless another one was so a moment ago: a client
    /// that probes and never upgrades would poll as fast as it can.
    fn noop(&mut self, from: Instant) -> Tended {
        let now = Instant::now();
        if now < from {
            return Tended::Moving(from);
        }
        self.noop_from = Some(now + NOOP_EVERY);
        self.answer_with(NOOP);
        Tended::Open
    }

    /// Answers the poll that waits with what is queued, and the next one with the end: the stock
    /// client acts upon a CLOSE packet at once, and upon a DISCONNECT packet of Socket.IO in the
    /// same payload only after it, too late to stay away.
    ///
    /// A client that is to come back is refused its poll. All clients come back from a poll that
    /// breaks, and some never do after a CLOSE packet.
    fn say_goodbye(&mut self, cause: Cause) -> Tended {
        if !self.queue.is_empty() {
            self.answer_with(b"");
            return Tended::Closing(cause);
        }
        if !cause.comes_back() {
            self.answer_with(CLOSE);
        } else if let Some(poll) = self.waiting.take() {
            // Who has gone needs no answer.
            let _ = poll.send(Err(Refusal::UNKNOWN_SID));
        }
        Tended::Closed(cause)
    }

    /// Answers the poll that waits with all that is queued and one last packet.
    pub(crate) fn answer_with(&mut self, last: &'static [u8]) {
        if let Some(poll) = self.waiting.take() {
            let frames = self.take_queue();
            self.progressed = true;
            self.reply(poll, payload(&frames, last));
        }
    }

    fn reply(&self, poll: oneshot::Sender<Polled>, payload: Bytes) {
        self.worker.counters().writes.add(1);
        self.worker.counters().bytes_out.add(payload.len() as u64);
        // The client may have gone; its request's guard ends the session then.
        let _ = poll.send(Ok(payload));
    }

    fn take_queue(&mut self) -> Vec<Bytes> {
        let bytes = self.queued.clear();
        self.worker.counters().queued_bytes.sub(bytes as u64);
        std::mem::take(&mut self.queue)
    }
}

/// What happens while a WebSocket takes over.
impl Polling {
    pub(crate) fn may_probe(&self) -> bool {
        self.probe.is_none()
    }

    pub(crate) fn set_probe(&mut self, connection: &Rc<Connection>) {
        self.probe = Some(Rc::clone(connection));
    }

    /// Whether this is the WebSocket that the client still probes.
    pub(crate) fn probes(&self, connection: &Rc<Connection>) -> bool {
        self.probe
            .as_ref()
            .is_some_and(|probe| Rc::ptr_eq(probe, connection))
    }

    /// The probe was answered: from now on a poll without news ends with a noop, so that the
    /// client can stop polling. A probe that is asked again changes nothing.
    pub(crate) fn probed(&mut self) {
        self.noop_from.get_or_insert_with(Instant::now);
        self.wake.notify_one();
    }

    /// The probing WebSocket went away.
    pub(crate) fn forget_probe(&mut self) {
        self.probe = None;
        self.noop_from = None;
    }

    /// Ends polling for the WebSocket; returns what is still to be said, who has more to say, and
    /// whether it is to be closed after that.
    pub(crate) fn upgrade(mut self) -> (Vec<Bytes>, Refills, Option<Cause>) {
        if let Some(poll) = self.waiting.take() {
            self.reply(poll, Bytes::from_static(NOOP));
        }
        self.wake.notify_one();
        (self.take_queue(), self.refills, self.closing)
    }

    /// Ends polling and the WebSocket that was to follow it.
    pub(crate) fn end(mut self, cause: Cause) {
        if let Some(probe) = self.probe.take() {
            probe.close(cause);
        }
        self.take_queue();
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use sluice_net::{SharedFrame, worker};
    use tokio::runtime::{Builder, LocalOptions};

    use super::*;

    /// Runs a test on a worker whose clock moves only when it is told to.
    fn in_virtual_time(test: impl AsyncFnOnce(Polling)) {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build_local(LocalOptions::default());
        let run = worker::run(0, std::sync::Arc::default(), async |worker| {
            test(Polling::new(worker)).await;
        });
        runtime.unwrap().block_on(run);
    }

    #[test]
    fn while_a_client_moves_its_polls_end_without_news_ten_times_a_second_at_most() {
        in_virtual_time(async |mut polling| {
            polling.probed();
            for _ in 0..3 {
                let (poll, answer) = oneshot::channel();
                polling.wait(poll);
                while let Tended::Moving(noop) = polling.tend() {
                    // Asking again does not bring it sooner.
                    polling.probed();
                    assert_eq!(polling.tend(), Tended::Moving(noop));
                    tokio::time::advance(Duration::from_millis(1)).await;
                }
                assert_eq!(answer.await.unwrap().unwrap(), NOOP);
                tokio::time::advance(Duration::from_millis(40)).await;
            }
            let (poll, mut answer) = oneshot::channel();
            polling.wait(poll);
            assert!(matches!(polling.tend(), Tended::Moving(_)));
            assert!(answer.try_recv().is_err());
            polling
                .push(SharedFrame::text("4news").plain().clone(), 100)
                .unwrap();
            assert_eq!(polling.tend(), Tended::Open);
            assert_eq!(answer.await.unwrap().unwrap(), &b"4news"[..]);
        });
    }
}
