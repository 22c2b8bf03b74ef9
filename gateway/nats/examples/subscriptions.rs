//! What a subscription costs: the memory of each, and the time until all are in force.
//!
//! ```sh
//! cargo run --release -p sluice-nats --example subscriptions [COUNT [URL]]
//! ```
//!
//! Without a URL it starts a nats-server of its own.

use std::{
    error::Error,
    fs,
    time::{Duration, Instant},
};

use sluice_nats::{
    Packet,
    link::{Handler, Link, NO_HEADERS, Options, ServerInfo, link},
};
use sluice_test_nats::{Server, Settings};
use tokio::sync::mpsc;

/// Tells of connections and messages.
struct Teller(mpsc::UnboundedSender<()>);

impl Handler for Teller {
    fn connected(&mut self, _server: &ServerInfo) {
        let _ = self.0.send(());
    }

    fn disconnected(&mut self, _why: &str) {}

    fn message(&mut self, _message: Packet) {
        let _ = self.0.send(());
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let count: usize = args.next().as_deref().unwrap_or("20000").parse()?;
    let mut server = None;
    let url = match args.next() {
        Some(url) => url,
        None => server
            .insert(Server::start(Settings::default()).await)
            .url(),
    };
    let (link, task) = link(Options::new(vec![url.parse()?], "subscriptions"))?;
    let (tell, mut told) = mpsc::unbounded_channel();
    tokio::spawn(task.run(Teller(tell)));
    told.recv().await;
    link.subscribe("_INBOX.barrier");
    barrier(&link, &mut told).await?;

    let (before, began) = (rss()?, Instant::now());
    for room in 0..count {
        link.subscribe(&format!("sluice.default.main.out.=2F.room-{room:08}"));
    }
    let asked = began.elapsed();
    barrier(&link, &mut told).await?;
    let in_force = began.elapsed();
    // What was needed to send them is given back by then.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let grown = rss()?.saturating_sub(before);
    println!("subscriptions     {count}");
    println!("asked for in      {asked:?}");
    println!("in force after    {in_force:?}");
    println!("memory of each    {} bytes", grown / count.max(1));

    if let Some(server) = &mut server {
        server.kill().await;
        server.restart().await;
        told.recv().await;
        let began = Instant::now();
        barrier(&link, &mut told).await?;
        println!("again in force    {:?} after a reconnect", began.elapsed());
    }
    link.close().await;
    Ok(())
}

/// Waits until the server has seen all that was asked.
async fn barrier(
    link: &Link,
    told: &mut mpsc::UnboundedReceiver<()>,
) -> Result<(), Box<dyn Error>> {
    link.publish("nobody.listens", Some("_INBOX.barrier"), NO_HEADERS, b"")?;
    told.recv().await;
    Ok(())
}

/// The resident memory of this process, in bytes.
fn rss() -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line
        .unwrap_or_default()
        .trim()
        .trim_end_matches("kB")
        .trim();
    Ok(kilobytes.parse::<usize>()? * 1024)
}
