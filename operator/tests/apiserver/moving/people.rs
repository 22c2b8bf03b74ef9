//! Clients that come back, to a gateway that the Service would lead them to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use kube::{Api, api::ListParams, core::DynamicObject};
use serde_json::json;
use sluice_operator::Kind;
use sluice_test_apiserver::until;
use tokio::{net::TcpStream, task::JoinHandle, time::sleep};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::support::World;

/// Clients that are connected all the time.
pub(crate) struct People {
    tasks: Vec<JoinHandle<()>>,
    all: Arc<All>,
}

struct All {
    pods: Api<DynamicObject>,
    /// How often each lost its connection.
    moves: Vec<AtomicU32>,
    connected: AtomicUsize,
    refused: AtomicUsize,
}

impl People {
    /// So many, once all of them are connected.
    pub(crate) async fn connect(world: &World, count: usize) -> Self {
        let all = Arc::new(All {
            pods: world.api(Kind::Pod),
            moves: (0..count).map(|_| AtomicU32::new(0)).collect(),
            connected: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        });
        let stay = |client| tokio::spawn(stay(Arc::clone(&all), client));
        let people = Self {
            tasks: (0..count).map(stay).collect(),
            all: Arc::clone(&all),
        };
        people.all_connected().await;
        people
    }

    pub(crate) async fn all_connected(&self) {
        until("everyone is connected", async || {
            self.all.connected.load(Ordering::Relaxed) == self.all.moves.len()
        })
        .await;
    }

    pub(crate) fn count_from_now(&self) {
        self.all
            .moves
            .iter()
            .for_each(|moves| moves.store(0, Ordering::Relaxed));
        self.all.refused.store(0, Ordering::Relaxed);
    }

    /// How often each was moved.
    pub(crate) fn moves(&self) -> Vec<u32> {
        self.all
            .moves
            .iter()
            .map(|moves| moves.load(Ordering::Relaxed))
            .collect()
    }

    /// How often somebody was led to a gateway that would not have them.
    pub(crate) fn refused(&self) -> usize {
        self.all.refused.load(Ordering::Relaxed)
    }
}

impl Drop for People {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn stay(all: Arc<All>, client: usize) {
    loop {
        let Some(mut socket) = enter(&all.pods).await else {
            all.refused.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        all.connected.fetch_add(1, Ordering::Relaxed);
        while let Some(Ok(_)) = socket.next().await {}
        all.connected.fetch_sub(1, Ordering::Relaxed);
        all.moves[client].fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(rand::random_range(50..500))).await;
    }
}

/// A connection to a gateway by chance that is ready and served.
pub(crate) async fn enter(pods: &Api<DynamicObject>) -> Option<Socket> {
    let served = ListParams::default().labels("sluice.dev/serving=true");
    let pods = pods.list(&served).await.ok()?;
    let addresses: Vec<_> = pods.iter().filter_map(address).collect();
    let address = addresses.get(rand::random_range(0..addresses.len().max(1)))?;
    let (mut socket, _) = connect_async(format!("ws://{address}:3000/ws"))
        .await
        .ok()?;
    let hello = json!({"id": 1, "op": "connect"}).to_string();
    socket.send(Message::text(hello)).await.ok()?;
    let answer = socket.next().await?.ok()?.into_text().ok()?;
    answer.contains("\"ok\":true").then_some(socket)
}

fn address(pod: &DynamicObject) -> Option<String> {
    let status = &pod.data["status"];
    let ready = |it: &serde_json::Value| it["type"] == "Ready" && it["status"] == "True";
    status["conditions"]
        .as_array()?
        .iter()
        .find(|it| ready(it))?;
    status["podIP"].as_str().map(str::to_owned)
}
