//! The operator as it runs: watches, two controllers, and what they share.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt as _;
use kube::{
    Client,
    runtime::{
        applier,
        controller::{self, Action, Config, ReconcileRequest},
        reflector::Store,
    },
};
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinHandle, JoinSet},
    time::sleep,
};

use crate::{
    Kind, Object,
    cluster::ClusterReconciler,
    context::{Context, Settings},
    metrics::Metrics,
    plan::Apis,
    reconcile::Reconciler,
    room::{FindingsByCluster, RoomReconciler},
    stores::{Changed, Queues, Stores, stream},
};

/// How many resources of a kind are worked on at once.
const AT_ONCE: u16 = 8;

/// How long changes of one resource are gathered before it is looked at.
const GATHER: Duration = Duration::from_millis(50);

/// How long a queue of changes may be before watches wait.
const QUEUED: usize = 1024;

/// How often it is looked whether others have brought an API or taken it.
const DISCOVER: Duration = Duration::from_mins(1);

/// Where the operator works, and as what.
#[derive(Clone)]
pub struct Operator {
    /// The API server.
    pub client: Client,
    /// The Kubernetes namespace that it works in; `None` for all.
    pub namespace: Option<String>,
    /// What does not change.
    pub settings: Settings,
    /// What it counts.
    pub metrics: Metrics,
    /// Whether everything that there is was seen.
    pub ready: Arc<AtomicBool>,
}

impl Operator {
    /// Works until it is dropped, or a task of it ends that should not.
    pub async fn run(&self) {
        loop {
            let apis = self.discover().await;
            tokio::select! {
                () = self.work(apis) => return,
                () = self.until_other_than(apis) => {
                    tracing::info!("other APIs are there than before; everything is looked at again");
                }
            }
        }
    }

    async fn work(&self, apis: Apis) {
        let mut tasks = JoinSet::new();
        let (clusters, cluster_queue) = mpsc::channel(QUEUED);
        let (rooms, room_queue) = mpsc::channel(QUEUED);
        let queues = Queues { clusters, rooms };
        let namespace = self.namespace.as_deref();
        let stores = Stores::watch(
            &self.client,
            namespace,
            apis,
            &queues,
            &self.metrics,
            &mut tasks,
        );
        let context = Arc::new(Context::new(
            &self.client,
            self.settings.clone(),
            apis,
            stores.clone(),
            queues,
            self.metrics.clone(),
        ));
        let findings = Arc::new(FindingsByCluster::default());
        let clusters = ClusterReconciler::new(Arc::clone(&context), Arc::clone(&findings));
        let rooms = RoomReconciler::new(context, findings);
        let mut controllers = JoinSet::new();
        control(&mut controllers, clusters, &stores, cluster_queue);
        control(&mut controllers, rooms, &stores, room_queue);
        let seen = async {
            stores.ready().await;
            self.ready.store(true, Ordering::Relaxed);
            std::future::pending::<()>().await;
        };
        // Neither ends unless it fails.
        tokio::select! {
            ended = tasks.join_next() => report(ended),
            ended = controllers.join_next() => report(ended),
            () = seen => {}
        }
        self.ready.store(false, Ordering::Relaxed);
    }

    async fn discover(&self) -> Apis {
        Apis {
            http_route: self.has(Kind::HttpRoute).await.unwrap_or_default(),
            pod_monitor: self.has(Kind::PodMonitor).await.unwrap_or_default(),
        }
    }

    /// Whether the API server has a kind; `None` where it does not say.
    async fn has(&self, kind: Kind) -> Option<bool> {
        match self
            .client
            .list_api_group_resources(&kind.api_version())
            .await
        {
            Ok(list) => Some(list.resources.iter().any(|it| it.name == kind.plural())),
            Err(kube::Error::Api(status)) if status.code == 404 => Some(false),
            Err(_) => None,
        }
    }

    async fn until_other_than(&self, apis: Apis) {
        loop {
            sleep(DISCOVER).await;
            let same = |kind, was| async move { self.has(kind).await.is_none_or(|is| is == was) };
            if !same(Kind::HttpRoute, apis.http_route).await
                || !same(Kind::PodMonitor, apis.pod_monitor).await
            {
                return;
            }
        }
    }
}

fn report(ended: Option<Result<(), JoinError>>) {
    if let Some(Err(error)) = ended {
        tracing::error!(%error, "a task has failed; the operator ends, and is started again");
    } else {
        tracing::error!("a task has ended; the operator ends, and is started again");
    }
}

/// Begins to have each changed resource of a kind looked at, once everything was seen.
fn control<R: Reconciler>(
    controllers: &mut JoinSet<()>,
    reconciler: R,
    stores: &Stores,
    queue: mpsc::Receiver<Changed>,
) {
    if let Some(store) = stores.store(R::KIND) {
        let (store, stores) = (store.clone(), stores.clone());
        controllers.spawn(reconcile(Arc::new(reconciler), store, stores, queue));
    }
}

async fn reconcile<R: Reconciler>(
    reconciler: Arc<R>,
    store: Store<Object>,
    stores: Stores,
    queue: mpsc::Receiver<Changed>,
) {
    let queue = stream(queue).map(|changed| Ok::<_, Infallible>(ReconcileRequest::from(changed)));
    let config = Config::default().concurrency(AT_ONCE).debounce(GATHER);
    let one = move |object: Arc<Object>, reconciler: Arc<R>| {
        let stores = stores.clone();
        Box::pin(tied(async move {
            stores.ready().await;
            reconciler.reconcile(object).await
        }))
    };
    // What went wrong is handled by whoever knows of what; here, nothing is left but a panic.
    let again = |_: Arc<Object>, error: &JoinError, _: Arc<R>| {
        tracing::error!(%error, "a resource could not be looked at");
        Action::requeue(Duration::from_mins(1))
    };
    let reconciliations = applier(one, again, Arc::clone(&reconciler), store, queue, config);
    let mut reconciliations = std::pin::pin!(reconciliations);
    while let Some(outcome) = reconciliations.next().await {
        if let Err(controller::Error::ObjectNotFound(gone)) = outcome {
            let namespace = gone.namespace.as_deref().unwrap_or_default();
            reconciler.gone(namespace, &gone.name).await;
        }
    }
}

/// Runs a task that ends with whoever waits for it: an operator that leads no more does nothing
/// more.
async fn tied<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, JoinError> {
    struct Tied<T>(JoinHandle<T>);
    impl<T> Drop for Tied<T> {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let mut task = Tied(tokio::spawn(work));
    (&mut task.0).await
}
