//! Keeping a connection to one gateway, and listening to its fleet while there is none.

use std::{io::ErrorKind, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use super::{GatewayState, WatchedGateway, missed::MissedHeartbeats};
use crate::{
    backbone::{Backbones, Heartbeats},
    stores::Changed,
};

/// How long a connection may take. One that takes longer is tried again, while the fleet is listened
/// to.
const CONNECT: Duration = Duration::from_millis(500);

/// How long after a connection was closed another one is tried: a gateway closes those over which
/// nothing is asked.
const AT_ONCE: Duration = Duration::from_millis(20);

/// How long after one could not be made.
const AGAIN: Duration = Duration::from_millis(500);

/// How often the other end is asked whether it is there, and how often in vain. A connection that is
/// lost for nothing is made again, and that is all.
const PROBE: (Duration, u32) = (Duration::from_secs(1), 1);

/// What came of connecting to it.
enum Attempt {
    Reached(TcpStream),
    Refused,
    /// That nothing answers says nothing of the gateway alone.
    Silent,
}

pub(super) struct Probe {
    pub(super) gateway: WatchedGateway,
    /// The identity of the cluster.
    pub(super) uid: String,
    pub(super) cluster: Changed,
    pub(super) queue: mpsc::Sender<Changed>,
    pub(super) backbones: Backbones,
    pub(super) state: watch::Sender<Option<GatewayState>>,
}

impl Probe {
    pub(super) async fn run(self) {
        loop {
            match connect(self.gateway.address).await {
                Attempt::Reached(stream) => {
                    self.is(GatewayState::Alive).await;
                    until_closed(stream).await;
                    sleep(AT_ONCE).await;
                }
                Attempt::Refused => {
                    self.is(GatewayState::Ended).await;
                    sleep(AGAIN).await;
                }
                Attempt::Silent => self.listen().await,
            }
        }
    }

    /// Listens to the fleet until the gateway answers.
    async fn listen(&self) {
        let mut missed = MissedHeartbeats::of(&self.gateway.name);
        let mut answers = pin!(until_it_answers(self.gateway.address));
        let mut heartbeats = None;
        loop {
            let name = tokio::select! {
                () = &mut answers => return,
                name = heard(&self.backbones, &self.uid, &mut heartbeats) => name,
            };
            match missed.hears(&name) {
                Some(true) => self.is(GatewayState::Lost).await,
                Some(false) => self.is(GatewayState::Alive).await,
                None => {}
            }
        }
    }

    async fn is(&self, state: GatewayState) {
        let before = self.state.send_replace(Some(state));
        if before == Some(state) {
            return;
        }
        let name = &self.gateway.name;
        if state == GatewayState::Lost {
            tracing::warn!(gateway = %name, "a gateway cannot be reached, and its fleet does not hear it; it leaves the Service while another one serves");
        }
        // What is found out at once is seen by whoever began to watch.
        if before.is_some() || state == GatewayState::Lost {
            // Fails only when the operator ends.
            let _ = self.queue.send(self.cluster.clone()).await;
        }
    }
}

async fn connect(address: SocketAddr) -> Attempt {
    match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => Attempt::Reached(stream),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Attempt::Refused,
        _ => Attempt::Silent,
    }
}

async fn until_closed(mut stream: TcpStream) {
    let (every, times) = PROBE;
    let probe = TcpKeepalive::new().with_time(every).with_interval(every);
    let probe = probe.with_retries(times);
    if let Err(error) = SockRef::from(&stream).set_tcp_keepalive(&probe) {
        tracing::debug!(%error, "a gateway that is gone without a word is noticed later");
    }
    let mut nothing = [0; 1];
    while stream.read(&mut nothing).await.is_ok_and(|read| read > 0) {}
}

async fn until_it_answers(address: SocketAddr) {
    while matches!(connect(address).await, Attempt::Silent) {
        sleep(AGAIN).await;
    }
}

/// The next gateway of the fleet that says that it lives.
async fn heard(backbones: &Backbones, uid: &str, heartbeats: &mut Option<Heartbeats>) -> Arc<str> {
    loop {
        if let Some(open) = heartbeats {
            if let Some(name) = open.next().await {
                return name;
            }
            sleep(AGAIN).await;
        }
        *heartbeats = backbones.listen(uid).await;
        if heartbeats.is_none() {
            sleep(AGAIN).await;
        }
    }
}
