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
pub type Changed = ObjectRef<Object>;

/// Every watched object, by kind.
#[derive(Clone)]
pub struct Stores(Arc<BTreeMap<Kind, Store<Object>>>);

/// Who is told of changes.
#[derive(Clone)]
pub struct Queues {
    /// `RealtimeCluster`s to look at.
    pub clusters: mpsc::Sender<Changed>,
    /// `Room`s to look at.
    pub rooms: mpsc::Sender<Changed>,
}

impl Stores {
    /// Watches all kinds that there are, in all Kubernetes namespaces or in one, in tasks that run
    /// until the set is dropped.
    pub fn watch(
        client: &Client,
        namespace: Option<&str>,
        apis: Apis,
        queues: &Queues,
        metrics: &Metrics,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        let made = Kind::MADE.into_iter().filter(|kind| kind.is_watched() && apis.have(*kind));
        let kinds = [Kind::RealtimeCluster, Kind::Room, Kind::Pod].into_iter().chain(made);
        let mut stores = BTreeMap::new();
        for kind in kinds {
            let writer = Writer::new(kind);
            stores.insert(kind, writer.as_reader());
            let api = match namespace {
                Some(namespace) => Api::namespaced_with(client.clone(), namespace, &kind),
                None => Api::all_with(client.clone(), &kind),
            };
            tasks.spawn(follow(api, kind, writer, queues.clone(), metrics.clone()));
        }
        Self(Arc::new(stores))
    }

    /// Waits until everything that there is was seen.
    pub async fn ready(&self) {
        for store in self.0.values() {
            // Fails only when the task that fills it has ended, and then everything ends.
            let _ = store.wait_until_ready().await;
        }
    }

    /// The objects of a kind; nothing where the kind is not watched.
    pub fn store(&self, kind: Kind) -> Option<&Store<Object>> {
        self.0.get(&kind)
    }

    /// One object.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Object>> {
        let key = ObjectRef::new_with(name, kind).within(namespace);
        self.store(kind)?.get(&key)
    }

    /// The objects of a kind that satisfy a condition.
    pub fn filter(&self, kind: Kind, condition: impl Fn(&Object) -> bool) -> Vec<Arc<Object>> {
        let store = self.store(kind);
        store.map_or_else(Vec::new, |store| store.state_filter(condition))
    }

    /// The objects of a kind that are labelled with a cluster.
    pub fn of_cluster(&self, kind: Kind, namespace: &str, cluster: &str) -> Vec<Arc<Object>> {
        self.filter(kind, |object| {
            object.namespace() == namespace && object.label(CLUSTER) == Some(cluster)
        })
    }

    /// The Rooms of a cluster.
    pub fn rooms_of(&self, namespace: &str, cluster: &str) -> Vec<Arc<Object>> {
        self.filter(Kind::Room, |room| {
            room.namespace() == namespace && room_cluster(room).as_deref() == Some(cluster)
        })
    }
}

/// The cluster that a Room says it belongs to.
pub fn room_cluster(room: &Object) -> Option<String> {
    let spec = room.field("spec");
    let name = spec.pointer("/clusterRef/name")?.as_str()?;
    Some(name.to_owned())
}

/// The reference to an object of one of the kinds that users make.
pub fn reference(kind: Kind, namespace: &str, name: &str) -> Changed {
    ObjectRef::new_with(name, kind).within(namespace)
}

async fn follow(api: Api<Object>, kind: Kind, writer: Writer<Object>, queues: Queues, metrics: Metrics) {
    let store = writer.as_reader();
    let changes = watcher(api, config(kind))
        .default_backoff()
        .reflect(writer)
        .touched_objects();
    let mut changes = std::pin::pin!(changes);
    loop {
        match changes.try_next().await {
            Ok(Some(object)) => {
                metrics.watched(kind, store.len());
                tell(kind, &object, &queues).await;
            }
            Ok(None) => return,
            Err(error) => tracing::warn!(%kind, %error, "changes cannot be watched; it is tried again"),
        }
    }
}

fn config(kind: Kind) -> watcher::Config {
    let config = watcher::Config::default().page_size(PAGE);
    match kind {
        Kind::RealtimeCluster | Kind::Room => config,
        _ => config.labels(&format!("{MANAGED_BY}={MANAGER}")),
    }
}

/// Has everything looked at that a change may be about.
async fn tell(kind: Kind, object: &Object, queues: &Queues) {
    let namespace = object.namespace();
    let cluster = match kind {
        Kind::RealtimeCluster => Some(object.name().to_owned()),
        Kind::Room => room_cluster(object),
        _ => object.label(CLUSTER).map(str::to_owned),
    };
    if kind == Kind::Room {
        let room = reference(Kind::Room, namespace, object.name());
        let _ = queues.rooms.send(room).await;
    }
    if let Some(cluster) = cluster {
        let cluster = reference(Kind::RealtimeCluster, namespace, &cluster);
        let _ = queues.clusters.send(cluster).await;
    }
}

/// A queue as a stream.
pub(crate) fn stream(
    queue: mpsc::Receiver<Changed>,
) -> impl futures_util::Stream<Item = Changed> {
    futures_util::stream::unfold(queue, |mut queue| async {
        let next = queue.recv().await?;
        Some((next, queue))
    })
    .fuse()
}
