//! What is seen of a fleet before it is decided how it moves.

use std::{net::IpAddr, sync::Arc};

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use sluice_crds::RealtimeClusterStatus;

use super::COST;
use crate::{
    Kind, Object,
    cluster::{pods, read::Seen},
    context::Context,
    fleet::{Observed, PodSeen, Remembered, RevisionSeen},
    gateways::{GatewayError, GatewaySeen, Gateways, State, Watched},
    lock::lock,
    plan::{
        Cluster,
        names::{COMPONENT, GATEWAY, REVISION, SERVING},
    },
    stores::reference,
};

/// What came of asking a gateway.
type Answer = Result<GatewaySeen, GatewayError>;

pub(super) async fn observe(
    seen: &Seen,
    cluster: &Cluster,
    revision: &str,
    gateways: Option<&Gateways>,
    context: &Context,
) -> Observed {
    let status: RealtimeClusterStatus = seen.object.read("status").unwrap_or_default();
    let pods = seen
        .pods
        .iter()
        .filter(|pod| pod.label(COMPONENT) == Some(GATEWAY) && !pods::is_over(pod));
    let pods: Vec<_> = pods.collect();
    watch(seen, &pods, gateways, context);
    let pods = pods.into_iter();
    let pods = pods.map(|pod| async move { one(pod, ask(pod, gateways, context).await, context) });
    Observed {
        revision: revision.to_owned(),
        paused: cluster.spec.rollout.paused,
        now: Timestamp::now(),
        desired_replicas: status
            .desired_replicas
            .and_then(|it| u32::try_from(it).ok()),
        revisions: revisions(seen),
        pods: join_all(pods).await,
        remembered: remembered(&cluster.uid, &status, context),
    }
}

/// What the last decision told, or what an operator knows that has just started.
fn remembered(uid: &str, status: &RealtimeClusterStatus, context: &Context) -> Remembered {
    let known = lock(&context.remembered);
    known
        .get(uid)
        .cloned()
        .unwrap_or_else(|| match &status.rollout {
            Some(rollout) => Remembered::resumed(u64::try_from(rollout.moved).unwrap_or_default()),
            None => Remembered::default(),
        })
}

/// The Deployments of the fleet. One that is being deleted is there no more.
pub(in crate::cluster) fn revisions(seen: &Seen) -> Vec<RevisionSeen> {
    let there = seen.owned(Kind::Deployment).filter(|it| !it.is_deleted());
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

/// Has the cluster looked at again as soon as one of its gateways is gone that Kubernetes takes for
/// ready.
fn watch(seen: &Seen, pods: &[&Arc<Object>], gateways: Option<&Gateways>, context: &Context) {
    let (object, queue) = (&seen.object, &context.queues.clusters);
    let cluster = reference(Kind::RealtimeCluster, object.namespace(), object.name());
    let ready = pods.iter().filter(|pod| pods::is_ready(pod));
    let watched = ready.filter_map(|pod| {
        Some(Watched {
            pod: pod.uid().to_owned(),
            name: pod.name().to_owned(),
            address: gateways?.address(address(pod)?),
        })
    });
    let watched: Vec<_> = watched.collect();
    context
        .vigils
        .watch(object.uid(), &watched, &cluster, queue);
}

async fn ask(pod: &Object, gateways: Option<&Gateways>, context: &Context) -> Option<Answer> {
    if context.vigils.state(pod.uid()) == Some(State::Lost) {
        // It would only be waited for.
        return None;
    }
    let address = address(pod).filter(|_| pods::is_running(pod))?;
    let answer = gateways?.read(address).await;
    if let Err(error) = &answer {
        tracing::debug!(pod = %pod.name(), %error, "a gateway does not answer");
    }
    Some(answer)
}

fn one(pod: &Object, answer: Option<Answer>, context: &Context) -> PodSeen {
    // One that is not ready may be about to listen for the first time.
    let ready = pods::is_ready(pod);
    let ended = matches!(answer, Some(Err(GatewayError::Absent { .. })));
    let state = context.vigils.state(pod.uid());
    let gone = ready && (ended || state == Some(State::Lost));
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
        node_unschedulable: context.stores.is_on_cordoned_node(pod),
        deletion_cost: pod.annotation(COST).and_then(|cost| cost.parse().ok()),
        drain: gateway.map(|gateway| gateway.drain),
        connections: gateway.map(|gateway| gateway.connections),
        created: pod
            .metadata
            .creation_timestamp
            .as_ref()
            .map_or(Timestamp::UNIX_EPOCH, |time| time.0),
    }
}
