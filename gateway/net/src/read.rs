//! The one task of a connection: it reads, and it notices the end.

use std::{
    future::Future,
    ops::ControlFlow,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use sluice_codec::ws::{self, Decoder, Event, Opcode, Oversized};
use sluice_contract::Cause;

use crate::{
    connection::{Connection, Options},
    slices::wake_after_others,
};

/// How often a task reads before it lets others run.
const READS_A_TURN: usize = 4;

/// The longest message over a connection's bound that is passed over, so that whoever sent it can be
/// told. What is longer closes the connection as soon as its header shows it.
const MOST_SKIPPED: usize = 16 * 1024 * 1024;

/// How long a closed connection waits for the client's own close.
const LINGER: Duration = Duration::from_secs(5);

/// Whether a connection goes on after a message.
pub type Flow = ControlFlow<Cause>;

/// What a protocol does with a connection's messages.
pub trait Receiver: 'static {
    /// A whole text message.
    fn text(&mut self, connection: &Rc<Connection>, text: &str) -> Flow;
    /// A whole binary message.
    fn binary(&mut self, connection: &Rc<Connection>, bytes: &[u8]) -> Flow;
    /// A message over the connection's bound was passed over. Unless a protocol can tell who sent it,
    /// the connection ends.
    fn oversized(&mut self, _connection: &Rc<Connection>, _message: &Oversized<'_>) -> Flow {
        // 1009: a message too big to process (RFC 6455, section 7.4.1).
        Flow::Break(Cause::Protocol(1009))
    }
    /// The answer to a WebSocket ping.
    fn pong(&mut self) {}
    /// The connection has ended; called once, and nothing after it.
    fn closed(&mut self, cause: Cause);
}

/// Reads `connection` to its end on a task of its own; `leftover` is what the client sent right
/// behind its handshake.
pub fn spawn_reader<R: Receiver>(
    connection: Rc<Connection>,
    receiver: R,
    options: &Options,
    leftover: &Bytes,
) {
    let decoder = Decoder::new(options.max_message, options.deflate).skipping(MOST_SKIPPED);
    let mut task = ReadTask {
        connection,
        decoder,
        receiver: Some(receiver),
    };
    if !leftover.is_empty() {
        task.feed(&mut leftover.to_vec());
    }
    tokio::task::spawn_local(task);
}

struct ReadTask<R> {
    connection: Rc<Connection>,
    decoder: Decoder,
    /// Taken when the connection has ended.
    receiver: Option<R>,
}

impl<R> Unpin for ReadTask<R> {}

impl<R: Receiver> Future for ReadTask<R> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.connection.register(cx);
        let cause = ready!(this.poll_end(cx));
        if let Some(receiver) = this.receiver.take() {
            let connection = Rc::clone(&this.connection);
            let worker = Rc::clone(connection.worker());
            worker.reap(Box::new(move || end(connection, receiver, cause)));
        }
        Poll::Ready(())
    }
}

/// Tells the receiver, and gives the client time to close in its turn.
fn end<R: Receiver>(connection: Rc<Connection>, mut receiver: R, cause: Cause) {
    receiver.closed(cause);
    if !connection.is_shut() || cause != Cause::Lost {
        tokio::task::spawn_local(linger(connection));
    }
}

impl<R: Receiver> ReadTask<R> {
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Cause> {
        for _ in 0..READS_A_TURN {
            if let Some(cause) = self.connection.ended() {
                return Poll::Ready(cause);
            }
            if self.connection.is_blocked() {
                // Pending here only says that writing must wait; reading goes on.
                let _ = self.connection.poll_unblock(cx);
            }
            if self.connection.is_paused() && self.connection.ended().is_none() {
                // Whoever has it go on wakes this.
                return Poll::Pending;
            }
            if ready!(self.poll_read(cx)) {
                break;
            }
        }
        wake_after_others(cx);
        Poll::Pending
    }

    /// Reads once. True where that was as much as one read moves, so that others are to run now.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let worker = Rc::clone(self.connection.worker());
        let mut scratch = worker.read_scratch();
        match ready!(self.connection.poll_read(cx, &mut scratch)) {
            Ok(0) | Err(_) => self.connection.lost(),
            Ok(n) => {
                worker.counters().bytes_in.add(n as u64);
                self.feed(&mut scratch[..n]);
                return Poll::Ready(n == scratch.len());
            }
        }
        Poll::Ready(false)
    }

    fn feed(&mut self, mut input: &mut [u8]) {
        while self.connection.ended().is_none() {
            let event = match self.decoder.next(&mut input) {
                Ok(Some(event)) => event,
                Ok(None) => return,
                Err(e) => {
                    let frame = ws::close(e.code, e.reason);
                    return self.connection.close_with(Cause::Protocol(e.code), frame);
                }
            };
            let Some(receiver) = &mut self.receiver else {
                return;
            };
            let flow = dispatch(&self.connection, receiver, &event);
            if let ControlFlow::Break(cause) = flow {
                self.connection.close(cause);
            }
        }
    }
}

fn dispatch<R: Receiver>(connection: &Rc<Connection>, receiver: &mut R, event: &Event<'_>) -> Flow {
    match *event {
        Event::Text(text) => receiver.text(connection, text),
        Event::Binary(bytes) => receiver.binary(connection, bytes),
        Event::Oversized(message) => receiver.oversized(connection, &message),
        Event::Pong(_) => {
            receiver.pong();
            Flow::Continue(())
        }
        Event::Ping(data) => match connection.send_frame(ws::encode(Opcode::Pong, data)) {
            Ok(()) => Flow::Continue(()),
            Err(_) => Flow::Break(Cause::SlowConsumer),
        },
        Event::Close { code, .. } => {
            let frame = match code {
                Some(code) => ws::close(code, ""),
                None => ws::encode(Opcode::Close, &[]),
            };
            connection.close_with(Cause::Client(code.unwrap_or(1005)), frame);
            Flow::Continue(())
        }
    }
}

/// Gives the client time to read the close frame and to close in its turn.
async fn linger(connection: Rc<Connection>) {
    let drained = std::future::poll_fn(|cx| {
        connection.register(cx);
        let _ = connection.poll_unblock(cx);
        let mut scratch = connection.worker().read_scratch();
        loop {
            match ready!(connection.poll_read(cx, &mut scratch)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
    });
    let _ = tokio::time::timeout(LINGER, drained).await;
    connection.lost();
}
