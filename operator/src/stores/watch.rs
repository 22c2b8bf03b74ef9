//! Following what happens to the objects of one kind.

use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use kube::{
    Api,
    runtime::{
        WatchStreamExt as _,
        reflector::{Store, store::Writer},
        watcher::{self, Event, watcher},
    },
};
use sluice_util::{Backoff, Retries};
use tokio::sync::watch;

use super::{Queues, Stores, cluster_of, node_of, reference};
use crate::{
    Kind, Object,
    metrics::Metrics,
    plan::{
        MANAGER,
        names::{CLUSTER, MANAGED_BY},
    },
};

/// The longest pause after a watch has failed, but for what chance adds.
const LONGEST: Duration = Duration::from_secs(30);

/// The pauses after a watch has failed.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_secs(1), LONGEST).spread(0.75, 1.25);

/// Objects that are asked for at once when a watch begins.
const PAGE: u32 = 200;

/// The watch of one kind.
pub(super) struct Watch {
    pub(super) kind: Kind,
    pub(super) stores: Stores,
    pub(super) queues: Queues,
    pub(super) metrics: Metrics,
    /// Told once, when everything was seen.
    pub(super) seen: Option<watch::Sender<usize>>,
}

impl Watch {
    /// Follows what happens to the objects of the kind, until the task is ended.
    pub(super) async fn follow(mut self, api: Api<Object>, writer: Writer<Object>) {
        let (kind, store) = (self.kind, writer.as_reader());
        let events = watcher(api, config(kind))
            .modify(move |object| trim(kind, object))
            .reflect(writer);
        let mut events = std::pin::pin!(events);
        let mut pauses = Pauses::new();
        loop {
            match events.try_next().await {
                // What is listed is not in the store before all of it is.
                Ok(Some(Event::Init | Event::InitApply(_))) => {}
                Ok(Some(Event::InitDone)) => self.tell_all(&store).await,
                Ok(Some(event @ (Event::Apply(_) | Event::Delete(_)))) => {
                    self.changed(&event).await;
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%kind, %error, "changes cannot be watched; it is tried again");
                    tokio::time::sleep(pauses.next()).await;
                }
            }
            self.metrics.watched(kind, store.len());
        }
    }

    async fn changed(&self, event: &Event<Object>) {
        let index = self.stores.by_kind.get(&self.kind).map(|it| &it.index);
        match (event, index) {
            (Event::Apply(object), Some(index)) => {
                index.put(object, cluster_of(self.kind, object));
                self.tell(object).await;
            }
            (Event::Delete(object), Some(index)) => {
                index.remove(object);
                self.tell(object).await;
            }
            _ => {}
        }
    }

    /// Everything was seen, for the first time or anew: what went meanwhile is in no event.
    async fn tell_all(&mut self, store: &Store<Object>) {
        let objects = store.state();
        if let Some(watched) = self.stores.by_kind.get(&self.kind) {
            let cluster = |object| cluster_of(self.kind, object);
            watched.index.replace(&objects, cluster);
        }
        for object in objects {
            self.tell(&object).await;
        }
        for cluster in self.stores.filter(Kind::RealtimeCluster, |_| true) {
            self.tell_cluster(cluster.namespace(), cluster.name()).await;
        }
        if let Some(seen) = self.seen.take() {
            seen.send_modify(|seen| *seen += 1);
        }
    }

    /// Has everything looked at that a change may be about.
    async fn tell(&self, object: &Object) {
        let namespace = object.namespace();
        if self.kind == Kind::Node {
            return self.tell_of_node(object.name()).await;
        }
        if self.kind == Kind::Room {
            let room = reference(Kind::Room, namespace, object.name());
            let _ = self.queues.rooms.send(room).await;
        }
        if let Some(cluster) = cluster_of(self.kind, object) {
            self.tell_cluster(namespace, cluster).await;
        }
    }

    async fn tell_cluster(&self, namespace: &str, name: &str) {
        let cluster = reference(Kind::RealtimeCluster, namespace, name);
        let _ = self.queues.clusters.send(cluster).await;
    }

    /// Has the clusters looked at that have gateways on a node.
    async fn tell_of_node(&self, name: &str) {
        let pods = self
            .stores
            .filter(Kind::Pod, |pod| node_of(pod).as_deref() == Some(name));
        for pod in pods {
            if let Some(cluster) = pod.label(CLUSTER) {
                self.tell_cluster(pod.namespace(), cluster).await;
            }
        }
    }
}

/// How long to wait after each failure: longer each time, until there was none for a while.
struct Pauses {
    retries: Retries,
    last: Option<Instant>,
}

impl Pauses {
    fn new() -> Self {
        Self {
            retries: Retries::new(BACKOFF),
            last: None,
        }
    }

    fn next(&mut self) -> Duration {
        let recent = self.last.is_some_and(|at| at.elapsed() < 4 * LONGEST);
        if !recent {
            self.retries.reset();
        }
        self.last = Some(Instant::now());
        let pause = self.retries.delay(rand::random());
        self.retries.failed();
        pause
    }
}

/// What is not needed of an object is not kept.
fn trim(kind: Kind, object: &mut Object) {
    if kind == Kind::Node {
        object.keep_only("spec");
        object.metadata.annotations = None;
        object.metadata.labels = None;
    }
}

fn config(kind: Kind) -> watcher::Config {
    let config = watcher::Config::default().page_size(PAGE);
    match kind {
        Kind::RealtimeCluster | Kind::Room | Kind::Node => config,
        _ => config.labels(&format!("{MANAGED_BY}={MANAGER}")),
    }
}
