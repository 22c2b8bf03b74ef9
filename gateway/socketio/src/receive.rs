//! From Engine.IO messages to the handler's calls.

use std::{cell::Cell, rc::Rc, time::Duration};

use bytes::Bytes;
use http::request::Parts;
use serde_json::value::RawValue;
use sluice_codec::sio::{self, Packet, PacketType};
use sluice_engineio::{Application, Config, Refusal, Session};
use sluice_net::{Cause, Flow, Oversized, Peer, SharedFrame};

use crate::{
    Carrier, Client, Connect, Event, Handler, Reply, attachments::Partial, attempt::Entry, msgpack,
};

const PROTOCOL: Flow = Flow::Break(Cause::Protocol(1002));
const TOO_LARGE: Flow = Flow::Break(Cause::Protocol(1009));
/// The most bytes of an event that is over the bound before its last attachment has come.
const MOST_PASSED_OVER: usize = 16 * 1024 * 1024;
const GO_ON: Flow = Flow::Continue(());

/// Socket.IO as the application of an Engine.IO engine.
#[derive(Debug)]
pub struct SocketIo<H> {
    handler: H,
    max_payload: Cell<usize>,
    idle_beats: u32,
}

/// How long a client may stay without a namespace, as in the JavaScript server; less where
/// heartbeats are quicker.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(45);

/// So many rounds of heartbeats are long enough to ask for a namespace.
const CONNECT_ROUNDS: u32 = 4;

impl<H: Handler> SocketIo<H> {
    /// Socket.IO for `handler` on an engine with this configuration.
    pub fn new(handler: H, config: &Config) -> Self {
        let interval = config.ping_interval.as_millis().max(1);
        let rounds = (config.ping_interval + config.ping_timeout) * CONNECT_ROUNDS;
        let idle_beats = (CONNECT_TIMEOUT.min(rounds).as_millis() / interval) as u32;
        Self {
            handler,
            max_payload: config.max_payload.into(),
            idle_beats,
        }
    }

    /// The handler.
    pub fn handler(&self) -> &H {
        &self.handler
    }

    /// Exchanges the bound on an event's size.
    pub fn set_max_payload(&self, bytes: usize) {
        self.max_payload.set(bytes);
    }

    fn packet(&self, carrier: &Rc<Carrier<H>>, packet: &Packet<'_>, blobs: Vec<Bytes>) -> Flow {
        match packet.kind {
            PacketType::Connect => self.connect(carrier, packet),
            PacketType::Disconnect => self.disconnect(carrier, packet.namespace),
            PacketType::Event | PacketType::BinaryEvent => self.event(carrier, packet, blobs),
            PacketType::Ack | PacketType::BinaryAck => Self::answer(carrier, packet, blobs),
            PacketType::ConnectError => PROTOCOL,
        }
    }

    fn answer(carrier: &Rc<Carrier<H>>, packet: &Packet<'_>, blobs: Vec<Bytes>) -> Flow {
        if sio::ack_args(packet.data).is_err() {
            return PROTOCOL;
        }
        if let Some(id) = packet.id {
            carrier.state().answered(id, packet.data, blobs);
        }
        GO_ON
    }

    fn connect(&self, carrier: &Rc<Carrier<H>>, packet: &Packet<'_>) -> Flow {
        if !packet.data.is_empty() && serde_json::from_str::<&RawValue>(packet.data).is_err() {
            return PROTOCOL;
        }
        let Some(attempt) = carrier.state().begin(packet.namespace) else {
            return PROTOCOL;
        };
        match self.handler.connect(carrier, &attempt, packet.data) {
            Connect::Accept(accepted) => {
                if Client::accept(carrier, &attempt, &accepted) {
                    self.handler.connected(&accepted.socket);
                } else {
                    self.handler.disconnected(accepted.socket, Cause::Lost);
                }
            }
            Connect::Refuse(refused) => Client::refuse(carrier, &attempt, &refused),
            Connect::Later => {}
            Connect::Close(cause) => return Flow::Break(cause),
        }
        GO_ON
    }

    fn disconnect(&self, carrier: &Rc<Carrier<H>>, namespace: &str) -> Flow {
        if let Some(Entry {
            socket: Some(socket),
            ..
        }) = carrier.state().remove(namespace)
        {
            self.handler.disconnected(socket, Cause::Left);
        }
        GO_ON
    }

    fn event(
        &self,
        carrier: &Rc<Carrier<H>>,
        packet: &Packet<'_>,
        attachments: Vec<Bytes>,
    ) -> Flow {
        let Some((namespace, socket)) = carrier.state().socket(packet.namespace) else {
            return PROTOCOL;
        };
        let Ok(args) = sio::args(packet.data) else {
            return PROTOCOL;
        };
        let event = Event {
            name: args.event,
            array: packet.data,
            args: args.args,
            attachments,
        };
        let reply = Reply {
            carrier,
            namespace: &namespace,
            id: packet.id,
        };
        let flow = self.handler.event(&socket, event, reply);
        self.after_event(carrier, &namespace, flow)
    }

    fn after_event(&self, carrier: &Rc<Carrier<H>>, namespace: &str, flow: Flow) -> Flow {
        match flow {
            Flow::Break(cause) if cause.stays_away() => {
                self.end_namespace(carrier, namespace, cause);
                GO_ON
            }
            flow => flow,
        }
    }

    /// Goes on with a packet of which an attachment has come.
    fn attached(&self, carrier: &Rc<Carrier<H>>, partial: Box<Partial>, last: bool) -> Flow {
        let oversize = partial.oversize();
        if oversize.is_some_and(|bytes| bytes > MOST_PASSED_OVER) {
            return TOO_LARGE;
        }
        if !last {
            carrier.state().partial.set(Some(partial));
            return GO_ON;
        }
        let (text, attachments) = partial.into_parts();
        let Ok(packet) = sio::decode(&text) else {
            return PROTOCOL;
        };
        match oversize {
            Some(bytes) => self.refuse(carrier, &packet, bytes),
            None => self.packet(carrier, &packet, attachments),
        }
    }

    /// Refuses a packet over the bound, of whose payload only the beginning is there.
    fn refuse(&self, carrier: &Rc<Carrier<H>>, packet: &Packet<'_>, bytes: usize) -> Flow {
        if !matches!(packet.kind, PacketType::Event | PacketType::BinaryEvent) {
            return TOO_LARGE;
        }
        let Some((namespace, socket)) = carrier.state().socket(packet.namespace) else {
            return PROTOCOL;
        };
        let reply = Reply {
            carrier,
            namespace: &namespace,
            id: packet.id,
        };
        let flow = self.handler.oversized(&socket, bytes, reply);
        self.after_event(carrier, &namespace, flow)
    }

    /// Ends a namespace whose client is not to come back. The stock client stays away only after
    /// a DISCONNECT packet, whatever code its connection is closed with.
    fn end_namespace(&self, carrier: &Rc<Carrier<H>>, namespace: &str, cause: Cause) {
        if let Some(socket) = Client::disconnect(carrier, namespace, cause) {
            self.handler.disconnected(socket, cause);
        }
    }
}

/// A binary message that no packet has announced. Where it is how a client of another parser asks
/// for its first namespace, the client is told in its own language.
fn refuse_parser<H: Handler>(carrier: &Carrier<H>, bytes: &[u8]) -> Flow {
    if carrier.state().namespaces() > 0 {
        return PROTOCOL;
    }
    let Some(namespace) = msgpack::namespace(bytes) else {
        return PROTOCOL;
    };
    carrier.send(&SharedFrame::binary(&msgpack::refusal(namespace)));
    carrier.close(Cause::Protocol(1002));
    GO_ON
}

impl<H: Handler> Application for SocketIo<H> {
    type State = Client<H>;

    fn origin_allowed(&self, head: &Parts, peer: Peer) -> bool {
        self.handler.origin_allowed(head, peer)
    }

    fn open(&self, head: &Parts, peer: Peer) -> Result<Client<H>, Refusal> {
        self.handler.open(head, peer).map(Client::new)
    }

    fn text(&self, carrier: &Rc<Carrier<H>>, text: &str) -> Flow {
        if carrier.state().partial.take().is_some() {
            return PROTOCOL;
        }
        let Ok(packet) = sio::decode(text) else {
            return PROTOCOL;
        };
        if packet.attachments == 0 {
            return self.packet(carrier, &packet, Vec::new());
        }
        if sio::placeholders(packet.data, packet.attachments).is_err() {
            return PROTOCOL;
        }
        let partial = Partial::new(text, packet.attachments);
        carrier.state().partial.set(Some(Box::new(partial)));
        GO_ON
    }

    fn binary(&self, carrier: &Rc<Carrier<H>>, bytes: &[u8]) -> Flow {
        let Some(mut partial) = carrier.state().partial.take() else {
            return refuse_parser(carrier, bytes);
        };
        let last = partial.add(bytes, self.max_payload.get());
        self.attached(carrier, partial, last)
    }

    fn oversized(&self, carrier: &Rc<Carrier<H>>, message: &Oversized<'_>) -> Flow {
        let before = carrier.state().partial.take();
        match (message.text(), before) {
            (Some(head), None) => match sio::decode(head) {
                Ok(packet) if packet.attachments == 0 => {
                    self.refuse(carrier, &packet, message.bytes)
                }
                Ok(packet) => {
                    let partial = Partial::oversized(head, packet.attachments, message.bytes);
                    self.attached(carrier, Box::new(partial), false)
                }
                Err(_) => TOO_LARGE,
            },
            (None, Some(mut partial)) => {
                let last = partial.pass_over(message.bytes, self.max_payload.get());
                self.attached(carrier, partial, last)
            }
            _ => TOO_LARGE,
        }
    }

    /// A client that stays without a namespace has no use for its connection.
    fn beat(&self, carrier: &Rc<Carrier<H>>) -> Flow {
        let client = carrier.state();
        let idle = if client.namespaces() > 0 {
            0
        } else {
            client.idle_beats.get() + 1
        };
        client.idle_beats.set(idle);
        if idle > self.idle_beats {
            Flow::Break(Cause::ConnectTimeout)
        } else {
            GO_ON
        }
    }

    fn closed(&self, carrier: &Rc<Session<Client<H>>>, cause: Cause) {
        for entry in carrier.state().take_all() {
            if let Some(socket) = entry.socket {
                self.handler.disconnected(socket, cause);
            }
        }
        self.handler.closed(carrier, cause);
    }
}
