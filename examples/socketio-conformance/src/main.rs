//! A Socket.IO server that does what Socket.IO's own test suite expects of one.
//!
//! On connect it emits `auth` with the handshake's payload; `message` is answered by
//! `message-back`, `message-with-ack` by an acknowledgement. It has the namespaces `/` and
//! `/custom`.

use std::{net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use clap::Parser;
use http::request::Parts;
use sluice_engineio::{Config, Engine, Refusal, mailboxes};
use sluice_net::{Cause, Counters, Endpoint, Flow, Peer, accept, listen, worker};
use sluice_socketio::{
    Accepted, Attempt, Carrier, Connect, Event, Handler, Refused, Reply, SocketIo, packet,
};
use tokio::runtime::{Builder, LocalOptions};

#[derive(Parser)]
#[command(about = "A Socket.IO server for conformance tests")]
struct Args {
    /// The port to listen on, on the loopback interface.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Milliseconds from one ping to the next.
    #[arg(long, default_value_t = 25_000)]
    ping_interval: u64,
    /// Milliseconds that a client may take to answer a ping.
    #[arg(long, default_value_t = 20_000)]
    ping_timeout: u64,
    /// The longest message, in bytes.
    #[arg(long, default_value_t = 1_000_000)]
    max_payload: usize,
}

struct Conformance;

/// A namespace of one connection, with what the client sent to get in.
#[derive(Clone)]
struct Socket {
    carrier: Rc<Carrier<Conformance>>,
    namespace: Rc<str>,
    auth: Rc<str>,
}

impl Socket {
    fn emit(&self, name: &str, args: &[&str], event: &Event<'_>) {
        let packet = packet::event(&self.namespace, None, name, args, &event.attachments);
        packet.send(&self.carrier);
    }
}

impl Handler for Conformance {
    type Link = ();
    type Socket = Socket;

    fn open(&self, _: &Parts, _: Peer) -> Result<(), Refusal> {
        Ok(())
    }

    fn connect(
        &self,
        carrier: &Rc<Carrier<Self>>,
        attempt: &Attempt,
        auth: &str,
    ) -> Connect<Socket> {
        let namespace = attempt.namespace();
        if !matches!(namespace, "/" | "/custom") {
            return Connect::Refuse(Refused {
                message: "Invalid namespace".into(),
                data: None,
            });
        }
        let auth = if auth.is_empty() { "{}" } else { auth };
        let socket = Socket {
            carrier: Rc::clone(carrier),
            namespace: namespace.into(),
            auth: auth.into(),
        };
        let sid = format!("{}{}", carrier.sid(), namespace.len());
        Connect::Accept(Accepted {
            socket,
            sid,
            pid: None,
        })
    }

    fn connected(&self, socket: &Socket) {
        let packet = packet::event(&socket.namespace, None, "auth", &[&socket.auth], &[]);
        socket.carrier.send(&packet.head);
    }

    fn event(&self, socket: &Socket, event: Event<'_>, reply: Reply<'_, Self>) -> Flow {
        let args: Vec<&str> = event.args.iter().map(|arg| arg.get()).collect();
        match &*event.name {
            "message" => socket.emit("message-back", &args, &event),
            "message-with-ack" => reply.send_all(&args, &event.attachments),
            _ => {}
        }
        Flow::Continue(())
    }

    fn disconnected(&self, _: Socket, _: Cause) {}
}

fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let address = SocketAddr::from(([127, 0, 0, 1], args.port));
    let config = Config {
        ping_interval: Duration::from_millis(args.ping_interval),
        ping_timeout: Duration::from_millis(args.ping_timeout),
        max_payload: args.max_payload,
        ..Config::default()
    };
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build_local(LocalOptions::default())?;
    runtime.block_on(worker::run(
        0,
        Arc::<Counters>::default(),
        async move |worker| {
            let (boxes, mut own) = mailboxes(1);
            let Some(mailbox) = own.pop() else {
                return Ok(());
            };
            let app = SocketIo::new(Conformance, &config);
            let engine = Engine::start(Rc::clone(&worker), 0, config, app, boxes, mailbox);
            println!("A Socket.IO server listens on http://{address}/socket.io/");
            let endpoint = Endpoint {
                address,
                certificate: None,
                max_sockets: 10_000,
            };
            accept(worker, listen(address)?, endpoint, engine).await
        },
    ))
}
