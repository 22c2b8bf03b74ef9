//! What the API server holds, as it was last seen: every object that the operator works with, by
//! watching.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt as _, TryStreamExt as _};
use kube::{
    Api, Client,
    runtime::{
        WatchStreamExt as _,
        reflector::{ObjectRef, Store, store::Writer},
        watcher,
    },
};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    Kind, Object,
    metrics::Metrics,
    plan::{
        Apis, MANAGER,
        names::{CLUSTER, MANAGED_BY},
    },
};

/// Objects that are asked for at once when a watch begins.
const PAGE: u32 = 200;

/// What has changed: the kind that is to be looked at, and where it is.
pub(crate) type Changed = ObjectRef<Object>;

/// Every watched object, by kind.
#[derive(Clone)]
pub(crate) struct Stores(Arc<BTreeMap<Kind, Store<Object>>>);

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
            stores.insert(kind, writer.as_reader());
            writers.push((kind, writer));
        }
        let stores = Self(Arc::new(stores));
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
            };
            tasks.spawn(watch.follow(api, writer));
        }
        stores
    }

    /// Waits until everything that there is was seen.
    pub(crate) async fn ready(&self) {
        for store in self.0.values() {
            // Fails only when the task that fills it has ended, and then everything ends.
            let _ = store.wait_until_ready().await;
        }
    }

    /// The objects of a kind; nothing where the kind is not watched.
    pub(crate) fn store(&self, kind: Kind) -> Option<&Store<Object>> {
        self.0.get(&kind)
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

    /// The objects of a kind that are labelled with a cluster.
    pub(crate) fn of_cluster(
        &self,
        kind: Kind,
        namespace: &str,
        cluster: &str,
    ) -> Vec<Arc<Object>> {
        self.filter(kind, |object| {
            object.namespace() == namespace && object.label(CLUSTER) == Some(cluster)
        })
    }

    /// Whether the node that a pod is on takes no new pods.
    pub(crate) fn is_on_cordoned_node(&self, pod: &Object) -> bool {
        let nodes = self.store(Kind::Node);
        let node =
            node_of(pod).and_then(|name| nodes?.get(&ObjectRef::new_with(&name, Kind::Node)));
        node.is_some_and(|node| is_cordoned(&node))
    }

    /// The Rooms of a cluster.
    pub(crate) fn rooms_of(&self, namespace: &str, cluster: &str) -> Vec<Arc<Object>> {
        self.filter(Kind::Room, |room| {
            room.namespace() == namespace && room_cluster(room).as_deref() == Some(cluster)
        })
    }
}

/// The cluster that a Room says it belongs to.
pub(crate) fn room_cluster(room: &Object) -> Option<String> {
    let spec = room.field("spec");
    let name = spec.pointer("/clusterRef/name")?.as_str()?;
    Some(name.to_owned())
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
}

impl Watch {
    async fn follow(self, api: Api<Object>, writer: Writer<Object>) {
        let (kind, store) = (self.kind, writer.as_reader());
        let changes = watcher(api, config(kind))
            .default_backoff()
            .modify(move |object| trim(kind, object))
            .reflect(writer)
            .touched_objects();
        let mut changes = std::pin::pin!(changes);
        let mut cordoned = BTreeMap::new();
        loop {
            match changes.try_next().await {
                Ok(Some(node)) if kind == Kind::Node => {
                    let is = is_cordoned(&node);
                    let was = cordoned
                        .insert(node.name().to_owned(), is)
                        .unwrap_or_default();
                    if is != was {
                        self.tell_of_node(node.name()).await;
                    }
                }
                Ok(Some(object)) => {
                    self.metrics.watched(kind, store.len());
                    self.tell(&object).await;
                }
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%kind, %error, "changes cannot be watched; it is tried again")
                }
            }
        }
    }

    /// Has everything looked at that a change may be about.
    async fn tell(&self, object: &Object) {
        let namespace = object.namespace();
        let cluster = match self.kind {
            Kind::RealtimeCluster => Some(object.name().to_owned()),
            Kind::Room => room_cluster(object),
            _ => object.label(CLUSTER).map(str::to_owned),
        };
        if self.kind == Kind::Room {
            let room = reference(Kind::Room, namespace, object.name());
            let _ = self.queues.rooms.send(room).await;
        }
        if let Some(cluster) = cluster {
            let cluster = reference(Kind::RealtimeCluster, namespace, &cluster);
            let _ = self.queues.clusters.send(cluster).await;
        }
    }

    /// Has the clusters looked at that have gateways on a node.
    async fn tell_of_node(&self, name: &str) {
        let pods = self
            .stores
            .filter(Kind::Pod, |pod| node_of(pod).as_deref() == Some(name));
        for pod in pods {
            if let Some(cluster) = pod.label(CLUSTER) {
                let cluster = reference(Kind::RealtimeCluster, pod.namespace(), cluster);
                let _ = self.queues.clusters.send(cluster).await;
            }
        }
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
