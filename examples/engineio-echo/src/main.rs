//! An Engine.IO server that answers every message with itself.
//!
//! It shows the transport layers without anything above them, and is what Engine.IO's own test
//! suite is run against.

use std::{net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use clap::Parser;
use http::request::Parts;
use sluice_engineio::{Application, Config, Engine, Refusal, Session, mailboxes};
use sluice_net::{Cause, Counters, Endpoint, Flow, Peer, SharedFrame, accept, listen, worker};
use tokio::runtime::{Builder, LocalOptions};

#[derive(Parser)]
#[command(about = "An Engine.IO echo server")]
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

struct Echo;

impl Application for Echo {
    type State = ();

    fn open(&self, _: &Parts, _: Peer) -> Result<(), Refusal> {
        Ok(())
    }

    fn text(&self, session: &Rc<Session<()>>, text: &str) -> Flow {
        session.send(&SharedFrame::text(&format!("4{text}")));
        Flow::Continue(())
    }

    fn binary(&self, session: &Rc<Session<()>>, bytes: &[u8]) -> Flow {
        session.send(&SharedFrame::binary(bytes));
        Flow::Continue(())
    }

    fn closed(&self, _: &Rc<Session<()>>, _: Cause) {}
}

fn main() -> std::io::Result<()> {
    let args = Args::parse();
    let address = SocketAddr::from(([127, 0, 0, 1], args.port));
    let config = Config {
        path: "/engine.io/".into(),
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
            let engine = Engine::start(Rc::clone(&worker), 0, config, Echo, boxes, mailbox);
            println!("An Engine.IO echo server listens on http://{address}/engine.io/");
            let endpoint = Endpoint {
                address,
                certificate: None,
                max_sockets: 10_000,
            };
            accept(worker, listen(address)?, endpoint, engine).await
        },
    ))
}
