//! What the API server holds, as it was last seen: every object that the operator works with, by
//! watching.

mod index;
mod watch;

use std::{collections::BTreeMap, sync::Arc};

use futures_util::StreamExt as _;
use kube::{
    Api, Client,
    runtime::reflector::{ObjectRef, Store, store::Writer},
};
use tokio::{
    sync::{mpsc, watch as channel},
    task::JoinSet,
};

use self::{index::Index, watch::Watch};
use crate::{
    Kind, Object,
    metrics::Metrics,
    plan::{Apis, names::CLUSTER},
};

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
    seen: channel::Receiver<usize>,
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
        let (told, seen) = channel::channel(0);
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

/// Whether a node takes no new pods.
fn is_cordoned(node: &Object) -> bool {
    node.field("spec").get("unschedulable") == Some(&true.into())
}

/// The node that a pod is on.
fn node_of(pod: &Object) -> Option<String> {
    Some(pod.field("spec").get("nodeName")?.as_str()?.to_owned())
}

/// A queue as a stream.
pub(crate) fn stream(queue: mpsc::Receiver<Changed>) -> impl futures_util::Stream<Item = Changed> {
    futures_util::stream::unfold(queue, |mut queue| async {
        let next = queue.recv().await?;
        Some((next, queue))
    })
    .fuse()
}
