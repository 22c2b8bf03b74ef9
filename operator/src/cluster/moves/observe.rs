//! What is observed of a fleet before it is decided how it moves.

use std::{net::IpAddr, sync::Arc};

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use sluice_contract::{DrainProgress, WireVersion};
use sluice_crds::RealtimeClusterStatus;

use super::{COST, Reads};
use crate::{
    Kind, Object,
    cluster::{inventory::Inventory, pods},
    context::Context,
    fleet::{Observed, PodSeen, Remembered, RevisionSeen},
    gateways::{GatewayClient, GatewayError, GatewayState, Liveness, WatchedGateway},
    plan::{
        Cluster,
        names::{COMPONENT, GATEWAY, REVISION, SERVING},
    },
    stores::reference,
};

/// Looks at the gateways of one fleet.
pub(super) struct Observer<'a> {
    pub(super) inventory: &'a Inventory,
    /// Who asks the gateways; `None` where there is nobody to ask.
    pub(super) gateways: Option<&'a GatewayClient>,
    /// What gateways have said that they read.
    pub(super) reads: Reads,
    pub(super) liveness: &'a Liveness,
    pub(super) context: &'a Context,
}

impl Observer<'_> {
    /// The fleet as it is. What the last decision told is handed on.
    pub(super) async fn observe(
        &self,
        cluster: &Cluster,
        revision: &str,
        status: &RealtimeClusterStatus,
        remembered: Remembered,
    ) -> Observed {
        let pods = self
            .inventory
            .pods
            .iter()
            .filter(|pod| pod.label(COMPONENT) == Some(GATEWAY) && !pods::is_over(pod));
        let pods: Vec<_> = pods.collect();
        self.watch(&pods);
        let pods = pods.into_iter();
        let pods = pods.map(|pod| async move { self.pod(pod, self.ask(pod).await) });
        Observed {
            revision: revision.to_owned(),
            paused: cluster.spec.rollout.paused,
            now: Timestamp::now(),
            desired_replicas: status
                .desired_replicas
                .and_then(|it| u32::try_from(it).ok()),
            finalised: status.wire_version.map(WireVersion),
            revisions: revisions(self.inventory),
            pods: join_all(pods).await,
            remembered,
        }
    }

    /// Has the cluster looked at again as soon as one of its gateways is gone that Kubernetes takes
    /// for ready.
    fn watch(&self, pods: &[&Arc<Object>]) {
        let (object, queue) = (&self.inventory.object, &self.context.queues.clusters);
        let cluster = reference(Kind::RealtimeCluster, object.namespace(), object.name());
        let ready = pods.iter().filter(|pod| pods::is_ready(pod));
        let watched = ready.filter_map(|pod| {
            Some(WatchedGateway {
                pod: pod.uid().to_owned(),
                name: pod.name().to_owned(),
                address: self.gateways?.address(address(pod)?),
            })
        });
        let watched: Vec<_> = watched.collect();
        self.liveness.watch(object.uid(), &watched, &cluster, queue);
    }

    /// What the gateway of a pod says of itself; `None` where it was not asked.
    async fn ask(&self, pod: &Object) -> Option<Result<DrainProgress, GatewayError>> {
        if self.liveness.state(pod.uid()) == Some(GatewayState::Lost) {
            // Nobody answers there: the request would only wait for its timeout.
            return None;
        }
        let address = address(pod).filter(|_| pods::is_running(pod))?;
        let answer = self.gateways?.read(address).await;
        if let Err(error) = &answer {
            tracing::debug!(pod = %pod.name(), %error, "a gateway does not answer");
        }
        Some(answer)
    }

    fn pod(&self, pod: &Object, answer: Option<Result<DrainProgress, GatewayError>>) -> PodSeen {
        // One that is not ready may be about to listen for the first time.
        let ready = pods::is_ready(pod);
        let ended = matches!(answer, Some(Err(GatewayError::Absent { .. })));
        let state = self.liveness.state(pod.uid());
        let gone = ready && (ended || state == Some(GatewayState::Lost));
        let gateway = answer.and_then(Result::ok);
        PodSeen {
            name: pod.name().to_owned(),
            revision: pod.label(REVISION).unwrap_or_default().to_owned(),
            running: pods::is_running(pod),
            gone,
            unsure: gateway.is_none() && state.is_none(),
            ready: ready && !gone,
            serving: pod.label(SERVING) == Some("true"),
            terminating: pod.is_deleted(),
            node_unschedulable: self.context.stores.is_on_cordoned_node(pod),
            deletion_cost: pod.annotation(COST).and_then(|cost| cost.parse().ok()),
            drain: gateway,
            connections: gateway.map(|gateway| gateway.connections),
            reads: self.reads.get(pod.name()).copied(),
            created: pod
                .metadata
                .creation_timestamp
                .as_ref()
                .map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        }
    }
}

/// The Deployments of the fleet. One that is being deleted is there no more.
pub(in crate::cluster) fn revisions(inventory: &Inventory) -> Vec<RevisionSeen> {
    let there = inventory
        .owned(Kind::Deployment)
        .filter(|it| !it.is_deleted());
    there.map(revision).collect()
}

fn revision(deployment: &Object) -> RevisionSeen {
    let (spec, status) = (deployment.field("spec"), deployment.field("status"));
    let number = |value: Option<&Value>| {
        value
            .and_then(Value::as_u64)
            .and_then(|it| u32::try_from(it).ok())
    };
    RevisionSeen {
        name: deployment.label(REVISION).unwrap_or_default().to_owned(),
        replicas: number(spec.get("replicas")).unwrap_or(1),
        ready: number(status.get("readyReplicas")).unwrap_or_default(),
    }
}

/// Where the gateway of a pod is.
pub(super) fn address(pod: &Object) -> Option<IpAddr> {
    pod.field("status").get("podIP")?.as_str()?.parse().ok()
}
