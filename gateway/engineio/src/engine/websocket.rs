//! The WebSocket transport: a session from its first frame, or one that takes over from polling.

use std::rc::Rc;

use sluice_codec::eio::{self, Data, PacketType};
use sluice_net::{Cause, Connection, Flow, Oversized, Receiver, SharedFrame};

use super::Engine;
use crate::{application::Application, session::Session};

/// The close code for what is not Engine.IO (RFC 6455, section 7.4.1: protocol error).
const PROTOCOL: Cause = Cause::Protocol(1002);

/// How a message packet begins; no other is long.
const MESSAGE: u8 = b'4';

/// Receives for a session; `live` once the WebSocket is the session's transport.
pub(super) struct WebSocket<A: Application> {
    pub(super) engine: Rc<Engine<A>>,
    pub(super) session: Rc<Session<A::State>>,
    pub(super) live: bool,
}

impl<A: Application> Receiver for WebSocket<A> {
    fn text(&mut self, connection: &Rc<Connection>, text: &str) -> Flow {
        if self.live {
            self.packet(text)
        } else {
            self.probe(connection, text)
        }
    }

    fn binary(&mut self, _: &Rc<Connection>, bytes: &[u8]) -> Flow {
        if !self.live {
            return Flow::Break(PROTOCOL);
        }
        if self.session.leaving().is_some() {
            return Flow::Continue(());
        }
        self.engine.app().binary(&self.session, bytes)
    }

    fn oversized(&mut self, _: &Rc<Connection>, message: &Oversized<'_>) -> Flow {
        let message = match message.head {
            _ if !self.live => return Flow::Break(PROTOCOL),
            [MESSAGE, head @ ..] if message.is_text => Oversized { head, ..*message },
            _ if message.is_text => return Flow::Break(PROTOCOL),
            _ => *message,
        };
        if self.session.leaving().is_some() {
            return Flow::Continue(());
        }
        self.engine.app().oversized(&self.session, &message)
    }

    fn closed(&mut self, cause: Cause) {
        if self.live {
            self.engine.end(&self.session, cause);
        } else {
            self.session.forget_probe();
        }
    }
}

/// Receives for a WebSocket that is closed already, until the client knows.
pub(super) struct Refused;

impl Receiver for Refused {
    fn text(&mut self, _: &Rc<Connection>, _: &str) -> Flow {
        Flow::Break(PROTOCOL)
    }

    fn binary(&mut self, _: &Rc<Connection>, _: &[u8]) -> Flow {
        Flow::Break(PROTOCOL)
    }

    fn closed(&mut self, _: Cause) {}
}

impl<A: Application> WebSocket<A> {
    fn packet(&self, text: &str) -> Flow {
        match eio::decode(text) {
            Ok(packet) => self.engine.packet(&self.session, packet.kind, &packet.data),
            Err(_) => Flow::Break(PROTOCOL),
        }
    }

    /// `2probe` is answered; `5` moves the session here.
    fn probe(&mut self, connection: &Rc<Connection>, text: &str) -> Flow {
        match eio::decode(text) {
            Ok(packet) if packet.kind == PacketType::Ping && packet.data == Data::Text("probe") => {
                connection.send_or_close(&SharedFrame::text("3probe"));
                self.session.probed();
            }
            Ok(packet) if packet.kind == PacketType::Upgrade => {
                if !self.session.upgrade(connection) {
                    return Flow::Break(PROTOCOL);
                }
                self.live = true;
            }
            _ => return Flow::Break(PROTOCOL),
        }
        Flow::Continue(())
    }
}
