//! One Engine.IO session, whatever its transport.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use bytes::Bytes;
use sluice_net::{Cause, Connection, Outgoing, heartbeat::Beat, heartbeat::Rhythm};

use crate::{
    config::Config,
    engine::Waiting,
    polling::{Polled, Polling},
    sid::Sid,
};
use tokio::sync::oneshot;

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
    ended: Cell<Option<Cause>>,
}

impl<S> std::fmt::Debug for Session<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("sid", &self.sid).finish_non_exhaustive()
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

    /// Whether it runs over a WebSocket by now.
    pub fn is_websocket(&self) -> bool {
        matches!(*self.transport.borrow(), Transport::WebSocket(_))
    }

    /// Why it ended, if it has.
    pub fn ended(&self) -> Option<Cause> {
        self.ended.get()
    }

    /// Sends a message, encoded as a whole Engine.IO packet (`4…` for text). A client that has
    /// too much waiting is closed as a slow consumer.
    pub fn send(&self, outgoing: &Outgoing) {
        if self.try_send(outgoing).is_err() {
            self.close(Cause::SlowConsumer);
        }
    }

    /// As [`Self::send`], but a message that does not fit is dropped and said to be.
    pub fn try_send(&self, outgoing: &Outgoing) -> Result<(), sluice_net::Full> {
        match &mut *self.transport.borrow_mut() {
            Transport::WebSocket(connection) => connection.send(outgoing),
            Transport::Polling(polling) => {
                polling.push(outgoing.frame().clone(), self.terms.config.max_outbound)
            }
            Transport::None => Ok(()),
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

    /// Bytes that wait for the client.
    pub fn queued_bytes(&self) -> usize {
        match &*self.transport.borrow() {
            Transport::WebSocket(connection) => connection.queued_bytes(),
            Transport::Polling(polling) => polling.queued_bytes(),
            Transport::None => 0,
        }
    }

    /// Marks the end; false where it was marked before.
    pub(crate) fn end(&self, cause: Cause) -> bool {
        let first = self.ended.get().is_none();
        if first {
            self.ended.set(Some(cause));
            if let Transport::Polling(polling) = self.transport.replace(Transport::None) {
                polling.end(cause);
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

    pub(crate) fn is_polling(&self) -> bool {
        self.polling(|_| ()).is_some()
    }

    pub(crate) fn wait(&self, poll: oneshot::Sender<Polled>) -> Waiting {
        match self.polling(|polling| polling.wait(poll)) {
            None => Waiting::NotPolling,
            Some(Err(())) => Waiting::Overlaps,
            Some(Ok(())) => Waiting::Waits,
        }
    }

    pub(crate) fn dismiss(&self, packet: &'static [u8]) {
        self.polling(|polling| polling.dismiss(packet));
    }

    pub(crate) fn begin_post(&self) -> bool {
        self.polling(|polling| !std::mem::replace(&mut polling.posting, true)) == Some(true)
    }

    pub(crate) fn end_post(&self) {
        self.polling(|polling| polling.posting = false);
    }

    pub(crate) fn may_probe(&self) -> bool {
        self.polling(|polling| polling.probe.is_none()) == Some(true)
    }

    pub(crate) fn set_probe(&self, connection: &Rc<Connection>) {
        self.polling(|polling| polling.probe = Some(Rc::clone(connection)));
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
        let websocket = Transport::WebSocket(Rc::clone(connection));
        if let Transport::Polling(polling) = self.transport.replace(websocket) {
            for frame in polling.upgrade() {
                self.send_frame(frame);
            }
        }
        true
    }
}
