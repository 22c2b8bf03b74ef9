//! What the reconcilers of `RealtimeCluster`s and of `Room`s have in common.

mod retries;
mod stalled;

use std::{collections::HashSet, sync::Arc};

use kube::runtime::controller::Action;

pub(crate) use self::{retries::RetryTimes, stalled::Stalled};
use crate::{Kind, Object, stores::Stores};

/// Has the resources of one kind be as they say.
pub(crate) trait Reconciler: Send + Sync + 'static {
    /// The kind.
    const KIND: Kind;

    /// Has what a resource asks for be there; says when to look again. Whatever is in the way is
    /// in the resource's status, and is tried again.
    fn reconcile(&self, object: Arc<Object>) -> impl Future<Output = Action> + Send;

    /// A resource of that name is there no more.
    fn gone(&self, namespace: &str, name: &str) -> impl Future<Output = ()> + Send;
}

/// The identities of all resources of a kind that there are.
pub(crate) fn identities(stores: &Stores, kind: Kind) -> HashSet<String> {
    let objects = stores.filter(kind, |_| true);
    objects.iter().map(|it| it.uid().to_owned()).collect()
}
