//! One Engine.IO session, whatever its transport.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use sluice_net::{
    Cause, Connection, Refill, SharedFrame, Timer, heartbeat::Beat, heartbeat::Rhythm,
};

use tokio::sync::oneshot;

use crate::{
    config::Config,
    polling::{Polled, Polling, Tended, Turn},
    sid::Sid,
};

/// A session's configuration, shared by all that were opened under it.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) config: Config,
    pub(crate) rhythm: Rhythm,
}

pub(crate) enum Transport {
    WebSocket(Rc<Connection>),
    Polling(Box<Polling>),
    None,
}

/// An Engine.IO session and the application's state of it.
pub struct Session<S> {
    sid: Sid,
    state: S,
    pub(crate) terms: Rc<Terms>,
    pub(crate) transport: RefCell<Transport>,
    pub(crate) beat: Cell<Beat>,
    /// When its heart is to be looked at.
    pub(crate) timer: Cell<Option<Timer>>,
    /// Why its client was told to go, which it does by itself.
    leaving: Cell<Option<Cause>>,
    paused: Cell<bool>,
    ended: Cell<Option<Cause>>,
}

/// How long a client that was told to go may take to close its transport.
const GOODBYE: Duration = Duration::from_secs(1);

impl<S> std::fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("sid", &self.sid)
            .finish_non_exhaustive()
    }
}

impl<S> Session<S> {
    pub(crate) fn new(sid: Sid, state: S, terms: Rc<Terms>, transport: Transport) -> Rc<Self> {
        Rc::new(Self {
            sid,
            state,
            terms,
            transport: RefCell::new(transport),
            beat: Cell::default(),
            timer: Cell::new(None),
            leaving: Cell::new(None),
            paused: Cell::new(false),
            ended: Cell::new(None),
        })
    }

    /// The session's id.
    pub fn sid(&self) -> Sid {
        self.sid
    }

    /// What the application keeps of it.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// Why it ended, if it has.
    pub fn ended(&self) -> Option<Cause> {
        self.ended.get()
    }

    /// Sends a message, encoded as a whole Engine.IO packet (`4…` for text). A client that has
    /// too much waiting is closed as a slow consumer.
    pub fn send(&self, frame: &SharedFrame) {
        if self.try_send(frame).is_err() {
            self.close(Cause::SlowConsumer);
        }
    }

    /// As [`Self::send`], but a message that does not fit is dropped and said to be.
    pub fn try_send(&self, frame: &SharedFrame) -> Result<(), sluice_net::Full> {
        match &mut *self.transport.borrow_mut() {
            Transport::WebSocket(connection) => connection.send(frame),
            Transport::Polling(polling) => {
                polling.push(frame.plain().clone(), self.terms.config.max_outbound)
            }
            Transport::None => Ok(()),
        }
    }

    /// As [`Self::try_send`], but for messages that are of no use without each other: all of them
    /// are sent, or none.
    pub fn try_send_all<'a>(
        &self,
        all: impl Iterator<Item = &'a SharedFrame> + Clone,
    ) -> Result<(), sluice_net::Full> {
        match &mut *self.transport.borrow_mut() {
            Transport::WebSocket(connection) => connection.send_all(all),
            Transport::Polling(polling) => {
                let frames = all.map(|frame| frame.plain().clone());
                polling.push_all(frames, self.terms.config.max_outbound)
            }
            Transport::None => Ok(()),
        }
    }

    /// Has more asked for once all that waits was sent, and again for as long as there is more:
    /// see [`Connection::refill_with`].
    pub fn refill_with(&self, refill: Refill) {
        match &mut *self.transport.borrow_mut() {
            Transport::WebSocket(connection) => connection.refill_with(refill),
            Transport::Polling(polling) => polling.refill_with(refill),
            Transport::None => {}
        }
    }

    /// Whether the client has taken nothing of what waits for it since this was last asked.
    pub(crate) fn is_stuck(&self) -> bool {
        match &mut *self.transport.borrow_mut() {
            Transport::WebSocket(connection) => connection.is_stuck(),
            Transport::Polling(polling) => polling.is_stuck(),
            Transport::None => false,
        }
    }

    /// Sends a frame that is encoded already.
    pub(crate) fn send_frame(&self, frame: Bytes) {
        let sent = match &mut *self.transport.borrow_mut() {
            Transport::WebSocket(connection) => connection.send_frame(frame),
            Transport::Polling(polling) => polling.push(frame, self.terms.config.max_outbound),
            Transport::None => Ok(()),
        };
        if sent.is_err() {
            self.close(Cause::SlowConsumer);
        }
    }

    /// Ends the session. The application hears of it from the session's own task or request, not
    /// from within this call.
    pub fn close(&self, cause: Cause) {
        if self.ended.get().is_some() {
            return;
        }
        match &mut *self.transport.borrow_mut() {
            Transport::WebSocket(connection) => connection.close(cause),
            Transport::Polling(polling) => polling.close(cause),
            Transport::None => {}
        }
    }

    /// As [`Self::close`], for a client that was told to go in the protocol above, and closes by
    /// itself once it has read that. Nothing else of it is heard any more. Some clients read what
    /// they are told on another thread than the end of their transport, and come back from an end
    /// that they see first.
    pub fn close_after_goodbye(self: &Rc<Self>, cause: Cause)
    where
        S: 'static,
    {
        if self.leaving.replace(Some(cause)).is_some() {
            return;
        }
        let session = Rc::downgrade(self);
        tokio::task::spawn_local(async move {
            tokio::time::sleep(GOODBYE).await;
            if let Some(session) = session.upgrade() {
                session.close(cause);
            }
        });
    }

    /// Why its client was told to go, if it was.
    pub(crate) fn leaving(&self) -> Option<Cause> {
        self.leaving.get()
    }

    /// Bytes that wait for the client.
    pub fn queued_bytes(&self) -> usize {
        match &*self.transport.borrow() {
            Transport::WebSocket(connection) => connection.queued_bytes(),
            Transport::Polling(polling) => polling.queued_bytes(),
            Transport::None => 0,
        }
    }

    /// Reads no more of its client, or goes on with that. What was read already is still given to
    /// the application, which is to pause it again where that comes over another transport. Nobody
    /// notices meanwhile that the client has gone: who pauses a session ends it after a while.
    pub fn pause(&self, paused: bool) {
        self.paused.set(paused);
        if let Transport::WebSocket(connection) = &*self.transport.borrow() {
            connection.pause(paused);
        }
    }

    /// Whether its client is not read.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.get()
    }

    /// Whether something came from the client that was not read yet, as far as that can be seen:
    /// nobody knows of a request before it is read whose session it is for.
    pub(crate) fn has_unread(&self) -> bool {
        match &*self.transport.borrow() {
            Transport::WebSocket(connection) => connection.has_unread(),
            Transport::Polling(_) | Transport::None => false,
        }
    }

    /// Marks the end; false where it was marked before.
    pub(crate) fn end(&self, cause: Cause) -> bool {
        let first = self.ended.get().is_none();
        if first {
            self.ended.set(Some(cause));
            // Whoever still holds the session must not hold its socket.
            match self.transport.replace(Transport::None) {
                Transport::Polling(polling) => polling.end(cause),
                // The end of a request from before the upgrade, too, ends the session.
                Transport::WebSocket(connection) => connection.close(cause),
                Transport::None => {}
            }
        }
        first
    }
}

/// The polling side of a session.
impl<S> Session<S> {
    fn polling<T>(&self, f: impl FnOnce(&mut Polling) -> T) -> Option<T> {
        match &mut *self.transport.borrow_mut() {
            Transport::Polling(polling) => Some(f(polling)),
            _ => None,
        }
    }

    /// Whether its client polls, and has no WebSocket yet.
    pub fn is_polling(&self) -> bool {
        self.polling(|_| ()).is_some()
    }

    /// Whether nothing of the session is to be heard any more.
    pub(crate) fn is_closing(&self) -> bool {
        self.ended.get().is_some() || self.polling(|polling| polling.is_closing()) == Some(true)
    }

    /// Answers the poll that waits, if there is something to say; `None` once it does not poll.
    pub(crate) fn tend(&self) -> Option<Tended> {
        let tended = self.polling(Polling::tend)?;
        self.refill();
        Some(tended)
    }

    /// Asks those that wait for room, while nothing is queued.
    fn refill(&self) {
        let mut asked = Vec::new();
        while let Some(mut refill) = self.polling(Polling::next_refill).flatten() {
            if refill(self.terms.config.max_outbound / 2) {
                asked.push(refill);
            }
        }
        for refill in asked {
            self.polling(|polling| polling.refill_with(refill));
        }
    }

    pub(crate) fn wait(&self, poll: oneshot::Sender<Polled>) -> Turn {
        self.polling(|polling| polling.wait(poll))
            .unwrap_or(Turn::NotPolling)
    }

    pub(crate) fn answer_with(&self, last: &'static [u8]) {
        self.polling(|polling| polling.answer_with(last));
    }

    pub(crate) fn begin_post(&self) -> Turn {
        self.polling(Polling::begin_post)
            .unwrap_or(Turn::NotPolling)
    }

    pub(crate) fn end_post(&self) {
        self.polling(Polling::end_post);
    }

    pub(crate) fn may_probe(&self) -> bool {
        self.polling(|polling| polling.may_probe()) == Some(true)
    }

    pub(crate) fn set_probe(&self, connection: &Rc<Connection>) {
        self.polling(|polling| polling.set_probe(connection));
    }

    pub(crate) fn probes(&self, connection: &Rc<Connection>) -> bool {
        self.polling(|polling| polling.probes(connection)) == Some(true)
    }

    pub(crate) fn probed(&self) {
        self.polling(Polling::probed);
    }

    pub(crate) fn forget_probe(&self) {
        self.polling(Polling::forget_probe);
    }

    /// Moves the session from polling to the WebSocket it probed, with all that waits for it.
    pub(crate) fn upgrade(&self, connection: &Rc<Connection>) -> bool {
        if !self.is_polling() {
            return false;
        }
        connection.hang_up_to_come_back();
        let websocket = Transport::WebSocket(Rc::clone(connection));
        if let Transport::Polling(polling) = self.transport.replace(websocket) {
            let (frames, refills, closing) = polling.upgrade();
            connection.take_over(frames, &refills);
            if let Some(cause) = closing {
                self.close(cause);
            }
        }
        true
    }
}
