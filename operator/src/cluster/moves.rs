//! Moving a fleet's clients: what is seen of it, and carrying out what is decided.

mod observe;

use std::{net::IpAddr, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};

use self::observe::address;
pub(super) use self::observe::revisions;
use super::read::Seen;
use crate::{
    Kind, Object,
    context::Context,
    fleet::{self, Decision, DrainCommand, Observed, Phase, Settings},
    gateways::{Gateways, RoomsSeen},
    lock::lock,
    plan::{
        Cluster,
        names::{REVISION, SERVING},
    },
    trouble::Trouble,
};

/// The annotation by which a Deployment that shrinks chooses a pod.
const COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// How often the connections of a fleet are counted that needs nothing.
const COUNTING: Duration = Duration::from_secs(30);

/// What is decided about a fleet, and what that was decided from.
pub(super) struct Moves {
    pub(super) observed: Observed,
    pub(super) decision: Decision,
    gateways: Option<Gateways>,
}

/// Looks at the gateways and decides.
pub(super) async fn decide(
    seen: &Seen,
    cluster: &Cluster,
    revision: &str,
    context: &Context,
) -> Moves {
    let gateways = gateways(seen, context);
    let observed = observe::observe(seen, cluster, revision, gateways.as_ref(), context).await;
    let decision = fleet::decide(&observed, &Settings::from(&cluster.spec));
    lock(&context.remembered).insert(cluster.uid.clone(), decision.remember.clone());
    Moves {
        observed,
        decision,
        gateways,
    }
}

/// A client with the key of the cluster's gateways; none where there is nobody to ask.
fn gateways(seen: &Seen, context: &Context) -> Option<Gateways> {
    seen.pods.iter().find(|pod| pod.label(REVISION).is_some())?;
    let (uid, key) = (seen.object.uid(), &seen.keys.operator);
    let mut known = lock(&context.gateways);
    if let Some((of, gateways)) = known.get(uid)
        && of == key
    {
        return Some(gateways.clone());
    }
    let made =
        Gateways::new(key).inspect_err(|error| tracing::error!(%error, "gateways cannot be asked"));
    let gateways = made.ok()?;
    known.insert(uid.to_owned(), (key.clone(), gateways.clone()));
    Some(gateways)
}

impl Moves {
    /// How many connections there are, of the gateways that say so.
    pub(super) fn connections(&self) -> Option<i64> {
        let counts = self.observed.pods.iter().filter_map(|pod| pod.connections);
        let sum = counts.fold(None, |sum, count| Some(sum.unwrap_or(0) + count));
        sum.and_then(|sum| i64::try_from(sum).ok())
    }

    /// What the gateway of a pod has of the rooms, if it answers.
    pub(super) async fn rooms(&self, seen: &Seen, pod: &str) -> Option<RoomsSeen> {
        let address = address(find(seen, pod)?)?;
        let answer = self.gateways.as_ref()?.rooms(address).await;
        answer
            .inspect_err(|error| tracing::debug!(%pod, %error, "a gateway does not say what it has of the rooms"))
            .ok()
    }

    /// When to look at the gateways again. Where nothing is to be done but to count connections,
    /// that is not often: what changes by itself is heard of.
    pub(super) fn look_again(&self, cluster: &Cluster) -> Duration {
        let decision = &self.decision;
        let idle = decision.phase == Phase::Steady
            && !decision.remember.waits()
            && cluster.spec.gateway.autoscaling.is_none();
        decision
            .look_again
            .max(if idle { COUNTING } else { Duration::ZERO })
    }

    /// Has pods get new connections or none, and marks those that go first. It comes before sizes
    /// change.
    pub(super) async fn mark(&self, seen: &Seen, context: &Context) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        for (pod, serves) in &self.decision.serving {
            let value = if *serves { json!("true") } else { Value::Null };
            let fields = json!({"metadata": {"labels": {SERVING: value}}});
            troubles.extend(change(seen, pod, &fields, context).await.err());
        }
        for (pod, cost) in &self.decision.deletion_cost {
            let fields = json!({"metadata": {"annotations": {COST: cost.to_string()}}});
            troubles.extend(change(seen, pod, &fields, context).await.err());
        }
        troubles
    }

    /// Tells gateways to move their connections. One that cannot be told is told again.
    pub(super) async fn tell(&self, seen: &Seen) {
        let Some(gateways) = &self.gateways else {
            return;
        };
        let told = self.decision.drain.iter().filter_map(|(pod, command)| {
            let address = address(find(seen, pod)?)?;
            Some(tell(gateways, pod, address, command))
        });
        join_all(told).await;
    }
}

async fn tell(gateways: &Gateways, pod: &str, address: IpAddr, command: &DrainCommand) {
    match gateways.drain(address, command).await {
        Ok(()) => tracing::info!(%pod, ?command, "a gateway was told about its connections"),
        Err(error) => {
            tracing::warn!(%pod, %error, "a gateway cannot be told about its connections; it is tried again");
        }
    }
}

fn find<'a>(seen: &'a Seen, pod: &str) -> Option<&'a Object> {
    let found = seen.pods.iter().find(|it| it.name() == pod)?;
    Some(found)
}

async fn change(seen: &Seen, pod: &str, fields: &Value, context: &Context) -> Result<(), Trouble> {
    context
        .writer
        .change(Kind::Pod, seen.object.namespace(), pod, fields)
        .await
}
