//! One WebSocket connection, as everything but its own task sees it.

mod slow_consumer;

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use sluice_codec::ws;
use sluice_contract::Cause;
use sluice_util::{Bound, Full};

use crate::{
    refill::{Refill, Refills},
    shared_frame::SharedFrame,
    stream::Stream,
    worker::Worker,
    write_queue::WriteQueue,
};

/// How much of what waits for room is queued at a time: as much as one write takes, and no more than
/// others can wait for.
const REFILL: usize = 64 * 1024;

/// What a connection is bound by.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The longest message it may send, in bytes after decompression.
    pub max_message: usize,
    /// The most bytes that may wait for it.
    pub max_outbound: usize,
    /// Whether permessage-deflate was negotiated (RFC 7692), without context takeover.
    pub deflate: bool,
}

/// A WebSocket connection on its worker. It is sent frames from anywhere on that worker; they are
/// written together at the end of the scheduler tick.
#[derive(Debug)]
pub struct Connection {
    worker: Rc<Worker>,
    stream: RefCell<Stream>,
    queue: RefCell<WriteQueue>,
    refills: Refills,
    waker: RefCell<Option<Waker>>,
    max_outbound: u32,
    deflate: bool,
    /// Whether who is to come back is sent no close frame.
    hangs_up: Cell<bool>,
    dirty: Cell<bool>,
    /// Whether it is among the worker's connections that are to be refilled.
    emptied: Cell<bool>,
    /// Whether anything was written since this was asked last.
    progressed: Cell<bool>,
    blocked: Cell<bool>,
    /// Whether its client is not read.
    paused: Cell<bool>,
    ended: Cell<Option<Cause>>,
    shut: Cell<bool>,
}

impl Connection {
    /// A connection over `stream`, after its handshake.
    pub fn new(worker: Rc<Worker>, stream: Stream, options: &Options) -> Rc<Self> {
        worker.counters().connections.add(1);
        Rc::new(Self {
            worker,
            stream: RefCell::new(stream),
            queue: RefCell::default(),
            refills: Refills::default(),
            waker: RefCell::default(),
            max_outbound: u32::try_from(options.max_outbound).unwrap_or(u32::MAX),
            deflate: options.deflate,
            hangs_up: Cell::new(false),
            dirty: Cell::new(false),
            emptied: Cell::new(false),
            progressed: Cell::new(false),
            blocked: Cell::new(false),
            paused: Cell::new(false),
            ended: Cell::new(None),
            shut: Cell::new(false),
        })
    }

    /// Queues a message. Nothing happens on a connection that has ended.
    pub fn send(self: &Rc<Self>, frame: &SharedFrame) -> Result<(), Full> {
        self.send_frame(frame.select(self.deflate).clone())
    }

    /// Queues one whole frame.
    pub fn send_frame(self: &Rc<Self>, frame: Bytes) -> Result<(), Full> {
        if self.ended.get().is_some() {
            return Ok(());
        }
        let (len, limit) = (frame.len(), self.may_wait());
        let mut queue = self.queue.borrow_mut();
        queue.push(frame, limit, &mut self.worker.spares())?;
        self.queued(1, len, queue.bytes());
        Ok(())
    }

    /// As [`Self::send`], for messages that are of no use without each other: all of them, or none.
    pub fn send_all<'a>(
        self: &Rc<Self>,
        frames: impl Iterator<Item = &'a SharedFrame> + Clone,
    ) -> Result<(), Full> {
        if self.ended.get().is_some() {
            return Ok(());
        }
        let frames = frames.map(|frame| frame.select(self.deflate).clone());
        let (count, limit) = (frames.clone().count(), self.may_wait());
        let mut queue = self.queue.borrow_mut();
        let before = queue.bytes();
        queue.push_all(frames, limit, &mut self.worker.spares())?;
        self.queued(count as u64, queue.bytes() - before, queue.bytes());
        Ok(())
    }

    /// Queues frames that were let into another queue of this client before, and whoever waited for
    /// room in that one.
    pub fn take_over(self: &Rc<Self>, frames: Vec<Bytes>, refills: &Refills) {
        if self.ended.get().is_some() {
            return;
        }
        let mut queue = self.queue.borrow_mut();
        for frame in frames {
            let len = frame.len();
            queue.push_always(frame, &mut self.worker.spares());
            self.queued(1, len, queue.bytes());
        }
        while let Some(refill) = refills.next() {
            self.refills.add(refill);
        }
        drop(queue);
        self.owe();
    }

    /// Has the connection ask for more once all is written that waits by then, and again for as
    /// long as there is more. It never asks where it has ended.
    pub fn refill_with(self: &Rc<Self>, refill: Refill) {
        if self.ended.get().is_none() {
            self.refills.add(refill);
            self.owe();
        }
    }

    /// Asks those that wait for room.
    pub(crate) fn refill(&self) {
        self.emptied.set(false);
        if self.ended.get().is_none() && self.queue.borrow().is_empty() {
            self.refills
                .turn(REFILL, || !self.queue.borrow().is_empty());
        }
    }

    fn may_wait(&self) -> Bound {
        self.worker.may_wait(self.max_outbound as usize)
    }

    /// So many bytes in so many frames have joined the queue, which makes `waiting`.
    fn queued(self: &Rc<Self>, frames: u64, bytes: usize, waiting: usize) {
        let counters = self.worker.counters();
        counters.frames_out.add(frames);
        counters.queued_bytes.add(bytes as u64);
        let half = self.max_outbound as usize / 2;
        if waiting > half && waiting - bytes <= half {
            self.worker.crowd();
        }
        self.owe();
    }

    /// Has a close that asks the client to come back ([`Cause::comes_back`]) end the TCP connection
    /// without a close frame, as a network does that breaks. Clients that read no close codes lose
    /// nothing by it, and there are some that leave a close frame unanswered and notice nothing
    /// until a heartbeat is missing, while all of them notice the end of the TCP connection.
    pub fn hang_up_to_come_back(&self) {
        self.hangs_up.set(true);
    }

    /// Ends the connection: what is queued still goes out where the client reads, then a close
    /// frame with the code of `cause`. The receiver learns of it from the connection's task.
    pub fn close(self: &Rc<Self>, cause: Cause) {
        let silent = self.hangs_up.get() && cause.comes_back();
        self.end(
            cause,
            (!silent).then(|| ws::close(cause.code(), cause.name())),
        );
    }

    /// As [`Self::close`], answering a client's close with its own code (RFC 6455, section 5.5.1).
    pub(crate) fn close_with(self: &Rc<Self>, cause: Cause, frame: Bytes) {
        self.end(cause, Some(frame));
    }

    fn end(self: &Rc<Self>, cause: Cause, last: Option<Bytes>) {
        if self.ended.replace(Some(cause)).is_some() {
            return;
        }
        self.refills.clear();
        if cause == Cause::SlowConsumer {
            self.give_up();
        } else if cause == Cause::HistoryLost {
            // It reads on from its position, and is to hear at once that it must.
            self.cut();
        }
        if let Some(frame) = last {
            self.worker.counters().queued_bytes.add(frame.len() as u64);
            self.queue
                .borrow_mut()
                .push_always(frame, &mut self.worker.spares());
        }
        self.owe();
        self.wake();
    }

    /// Ends the connection without a word: its stream is gone.
    pub(crate) fn lost(&self) {
        self.ended.set(self.ended.get().or(Some(Cause::Lost)));
        self.shut.set(true);
        self.refills.clear();
        self.drop_queue();
    }

    /// Why the connection ended, if it has.
    pub fn ended(&self) -> Option<Cause> {
        self.ended.get()
    }

    /// Bytes that wait to be written.
    pub fn queued_bytes(&self) -> usize {
        self.queue.borrow().bytes()
    }

    /// Whether bytes wait of which the socket has taken none since this was asked last.
    pub fn is_stuck(&self) -> bool {
        !self.progressed.take() && self.blocked.get()
    }

    /// Whether something came from the client that was not read yet. It costs a system call.
    pub fn has_unread(&self) -> bool {
        self.stream.borrow().has_unread()
    }

    /// Reads no more of its client, or goes on with that. What was read already is still given to
    /// the receiver. Nobody notices meanwhile that the client has gone: who pauses a connection ends
    /// it after a while.
    pub fn pause(&self, paused: bool) {
        if self.paused.replace(paused) != paused {
            self.wake();
        }
    }

    /// Whether its client is not read.
    pub fn is_paused(&self) -> bool {
        self.paused.get()
    }

    /// The worker it lives on.
    pub fn worker(&self) -> &Rc<Worker> {
        &self.worker
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.shut.get()
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.get()
    }

    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.borrow_mut().poll_read(cx, buf)
    }

    /// Flushes as soon as the socket takes bytes again.
    pub(crate) fn poll_unblock(self: &Rc<Self>, cx: &mut Context<'_>) -> Poll<()> {
        while self.blocked.get() {
            let ready = self.stream.borrow().poll_writable(cx);
            match ready {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => self.lost(),
                Poll::Ready(Ok(())) => {}
            }
            self.blocked.set(false);
            self.flush();
        }
        Poll::Ready(())
    }

    /// Remembers whom to wake when the connection ends or blocks.
    pub(crate) fn register(&self, cx: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        match &*waker {
            Some(known) if known.will_wake(cx.waker()) => {}
            _ => *waker = Some(cx.waker().clone()),
        }
    }

    /// Writes what is owed, as far as the socket takes it.
    pub(crate) fn flush(self: &Rc<Self>) {
        self.dirty.set(false);
        if self.blocked.get() || self.shut.get() {
            return;
        }
        match self.write_all() {
            Ok(()) if self.ended.get().is_some() => self.shut_down(),
            Ok(()) => self.line_up(),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                self.blocked.set(true);
                self.wake();
            }
            Err(_) => {
                self.lost();
                self.wake();
            }
        }
    }

    fn write_all(&self) -> io::Result<()> {
        let mut stream = self.stream.borrow_mut();
        let mut queue = self.queue.borrow_mut();
        let mut scratch = self.worker.write_scratch();
        while !queue.is_empty() {
            let n = stream.try_write(queue.gather(&mut scratch))?;
            queue.advance(n, &mut self.worker.spares());
            self.progressed.set(true);
            let counters = self.worker.counters();
            counters.writes.add(1);
            counters.bytes_out.add(n as u64);
            counters.queued_bytes.sub(n as u64);
        }
        if stream.is_flushed() {
            Ok(())
        } else {
            stream.try_flush()
        }
    }

    /// All is written: it is the turn of what waits for room.
    fn line_up(self: &Rc<Self>) {
        if !self.refills.is_empty() && !self.emptied.replace(true) {
            self.worker.has_emptied(Rc::clone(self));
        }
    }

    fn shut_down(&self) {
        self.shut.set(true);
        self.stream.borrow_mut().shutdown();
        self.wake();
    }

    fn owe(self: &Rc<Self>) {
        if !self.dirty.get() && !self.blocked.get() {
            self.dirty.set(true);
            self.worker.owe(Rc::clone(self));
        }
    }

    fn drop_queue(&self) {
        let bytes = self.queue.borrow_mut().clear();
        self.worker.counters().queued_bytes.sub(bytes as u64);
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.drop_queue();
        self.worker.counters().connections.sub(1);
        self.worker.counters().sockets.sub(1);
    }
}
