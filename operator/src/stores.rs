//! What the API server holds, as it was last seen: every object that the operator works with, by
//! watching.

mod index;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, TryStreamExt as _};
use kube::{
    Api, Client,
    runtime::{
        WatchStreamExt as _,
        reflector::{ObjectRef, Store, store::Writer},
        watcher::{self, Event, watcher},
    },
};
use sluice_util::{Backoff, Retries};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use self::index::Index;
use crate::{
    Kind, Object,
    metrics::Metrics,
    plan::{
        Apis, MANAGER,
        names::{CLUSTER, MANAGED_BY},
    },
};

/// The longest pause after a watch has failed, but for what chance adds.
const LONGEST: Duration = Duration::from_secs(30);
/// The pauses after a watch has failed.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_secs(1), LONGEST).spread(0.75, 1.25);

/// Objects that are asked for at once when a watch begins.
const PAGE: u32 = 200;

/// What has changed: the kind that is to be looked at, and where it is.
pub(crate) type Changed = ObjectRef<Object>;

/// The objects of a kind.
struct WatchedKind {
    store: Store<Object>,
    index: Index,
}

/// Every watched object, by kind.
#[derive(Clone)]
pub(crate) struct Stores {
    by_kind: Arc<BTreeMap<Kind, WatchedKind>>,
    /// Of how many kinds everything was seen.
    seen: watch::Receiver<usize>,
}

/// Who is told of changes.
#[derive(Clone)]
pub(crate) struct Queues {
    /// `RealtimeCluster`s to look at.
    pub(crate) clusters: mpsc::Sender<Changed>,
    /// `Room`s to look at.
    pub(crate) rooms: mpsc::Sender<Changed>,
}

impl Stores {
    /// Watches all kinds that there are, in all Kubernetes namespaces or in one, in tasks that run
    /// until the set is dropped.
    pub(crate) fn watch(
        client: &Client,
        namespace: Option<&str>,
        apis: Apis,
        queues: &Queues,
        metrics: &Metrics,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let made = Kind::MADE
            .into_iter()
            .filter(|kind| kind.is_watched() && apis.have(*kind));
        let kinds = [Kind::RealtimeCluster, Kind::Room, Kind::Pod]
            .into_iter()
            .chain(made);
        // Who works in one namespace may not look at nodes.
        let nodes = namespace.is_none().then_some(Kind::Node);
        let (mut stores, mut writers) = (BTreeMap::new(), Vec::new());
        for kind in kinds.chain(nodes) {
            let writer = Writer::new(kind);
            let watched = WatchedKind {
                store: writer.as_reader(),
                index: Index::default(),
            };
            stores.insert(kind, watched);
            writers.push((kind, writer));
        }
        let (told, seen) = watch::channel(0);
        let stores = Self {
            by_kind: Arc::new(stores),
            seen,
        };
        for (kind, writer) in writers {
            let api = match namespace {
                Some(namespace) => Api::namespaced_with(client.clone(), namespace, &kind),
                None => Api::all_with(client.clone(), &kind),
            };
            let watch = Watch {
                kind,
                stores: stores.clone(),
                queues: queues.clone(),
                metrics: metrics.clone(),
                seen: Some(told.clone()),
            };
            tasks.spawn(watch.follow(api, writer));
        }
        stores
    }

    /// Waits until everything that there is was seen.
    pub(crate) async fn ready(&self) {
        let all = self.by_kind.len();
        // Fails only when all watches have ended, and then everything ends.
        let _ = self.seen.clone().wait_for(|seen| *seen >= all).await;
    }

    /// The objects of a kind; nothing where the kind is not watched.
    pub(crate) fn store(&self, kind: Kind) -> Option<&Store<Object>> {
        Some(&self.by_kind.get(&kind)?.store)
    }

    /// One object.
    pub(crate) fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Object>> {
        let key = ObjectRef::new_with(name, kind).within(namespace);
        self.store(kind)?.get(&key)
    }

    /// The objects of a kind that satisfy a condition.
    pub(crate) fn filter(
        &self,
        kind: Kind,
        condition: impl Fn(&Object) -> bool,
    ) -> Vec<Arc<Object>> {
        let store = self.store(kind);
        store.map_or_else(Vec::new, |store| store.state_filter(condition))
    }

    /// The objects of a kind that belong to a cluster, by name: Rooms say so in their spec, all
    /// else by a label.
    pub(crate) fn of_cluster(
        &self,
        kind: Kind,
        namespace: &str,
        cluster: &str,
    ) -> Vec<Arc<Object>> {
        let Some(watched) = self.by_kind.get(&kind) else {
            return Vec::new();
        };
        let names = watched.index.names(namespace, cluster);
        let objects = names
            .iter()
            .filter_map(|name| self.get(kind, namespace, name));
        // The index follows the store, and may be a moment behind.
        objects
            .filter(|object| cluster_of(kind, object) == Some(cluster))
            .collect()
    }

    /// Whether the node that a pod is on takes no new pods.
    pub(crate) fn is_on_cordoned_node(&self, pod: &Object) -> bool {
        let nodes = self.store(Kind::Node);
        let node =
            node_of(pod).and_then(|name| nodes?.get(&ObjectRef::new_with(&name, Kind::Node)));
        node.is_some_and(|node| is_cordoned(&node))
    }
}

/// The cluster that an object belongs to.
fn cluster_of(kind: Kind, object: &Object) -> Option<&str> {
    match kind {
        Kind::RealtimeCluster => Some(object.name()),
        Kind::Room => object.cluster_ref(),
        _ => object.label(CLUSTER),
    }
}

/// The reference to an object of one of the kinds that users make.
pub(crate) fn reference(kind: Kind, namespace: &str, name: &str) -> Changed {
    ObjectRef::new_with(name, kind).within(namespace)
}

/// The watch of one kind.
struct Watch {
    kind: Kind,
    stores: Stores,
    queues: Queues,
    metrics: Metrics,
    /// Told once, when everything was seen.
    seen: Option<watch::Sender<usize>>,
}

impl Watch {
    async fn follow(mut self, api: Api<Object>, writer: Writer<Object>) {
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

/// Whether a node takes no new pods.
fn is_cordoned(node: &Object) -> bool {
    node.field("spec").get("unschedulable") == Some(&true.into())
}

/// The node that a pod is on.
fn node_of(pod: &Object) -> Option<String> {
    Some(pod.field("spec").get("nodeName")?.as_str()?.to_owned())
}

fn config(kind: Kind) -> watcher::Config {
    let config = watcher::Config::default().page_size(PAGE);
    match kind {
        Kind::RealtimeCluster | Kind::Room | Kind::Node => config,
        _ => config.labels(&format!("{MANAGED_BY}={MANAGER}")),
    }
}

/// A queue as a stream.
pub(crate) fn stream(queue: mpsc::Receiver<Changed>) -> impl futures_util::Stream<Item = Changed> {
    futures_util::stream::unfold(queue, |mut queue| async {
        let next = queue.recv().await?;
        Some((next, queue))
    })
    .fuse()
}
