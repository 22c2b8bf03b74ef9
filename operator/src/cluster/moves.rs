//! Moving a fleet's clients: what is observed of it, and carrying out what is decided.

mod observe;

use std::{collections::HashMap, net::IpAddr, sync::Mutex, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};
use sluice_contract::{GatewayStatus, RoomCounts, WireVersion};
use sluice_crds::RealtimeClusterStatus;
use sluice_util::lock;

pub(super) use self::observe::revisions;
use self::observe::{Observer, address};
use super::inventory::Inventory;
use crate::{
    Kind, Object,
    backbone::Backbones,
    context::Context,
    fleet::{self, Decision, DrainCommand, Observed, Phase, Remembered, Settings},
    gateways::{GatewayClient, GatewayClients, Liveness},
    plan::{
        Cluster,
        names::{REVISION, SERVING},
    },
    reason,
    trouble::Trouble,
};

/// The annotation by which a Deployment that shrinks chooses a pod.
const COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// How often the connections of a fleet are counted that needs nothing.
const COUNTING: Duration = Duration::from_secs(30);

/// Decides how the clients of fleets are moved, with what that takes: a client for the gateways of
/// each, whether these are alive, and what the last decision told the next.
pub(super) struct Mover {
    clients: GatewayClients,
    liveness: Liveness,
    /// By the clusters' identities.
    remembered: Mutex<HashMap<String, Remembered>>,
    /// What each gateway has said that it reads, by the clusters' identities and the pods' names.
    reads: Mutex<HashMap<String, Reads>>,
}

/// The newest wire version that each gateway reads, by its name, which is its pod's.
type Reads = HashMap<String, WireVersion>;

/// What is decided about a fleet, and what that was decided from.
pub(super) struct Moves {
    pub(super) observed: Observed,
    pub(super) decision: Decision,
    gateways: Option<GatewayClient>,
}

impl Mover {
    /// A mover that has looked at no fleet. Gateways that answer nothing are listened for over the
    /// backbones.
    pub(super) fn new(backbones: Backbones) -> Self {
        Self {
            clients: GatewayClients::default(),
            liveness: Liveness::new(backbones),
            remembered: Mutex::default(),
            reads: Mutex::default(),
        }
    }

    /// Looks at the gateways and decides.
    pub(super) async fn decide(
        &self,
        inventory: &Inventory,
        cluster: &Cluster,
        revision: &str,
        context: &Context,
    ) -> Moves {
        let gateways = self.client(inventory);
        let reads = lock(&self.reads).get(&cluster.uid).cloned();
        let observed = Observer {
            inventory,
            reads: reads.unwrap_or_default(),
            gateways: gateways.as_ref(),
            liveness: &self.liveness,
            context,
        };
        let status: RealtimeClusterStatus = inventory.object.read("status").unwrap_or_default();
        let remembered = self.remembered(&cluster.uid, &status);
        let observed = observed
            .observe(cluster, revision, &status, remembered)
            .await;
        let decision = fleet::decide(&observed, &Settings::from(&cluster.spec));
        lock(&self.remembered).insert(cluster.uid.clone(), decision.remember.clone());
        Moves {
            observed,
            decision,
            gateways,
        }
    }

    /// Notes what gateways say that they read. A gateway reads the same for as long as its pod is
    /// there: one that is not among them now is taken for what it said.
    pub(super) fn heard(&self, inventory: &Inventory, gateways: &[GatewayStatus]) {
        let mut all = lock(&self.reads);
        let reads = all.entry(inventory.object.uid().to_owned()).or_default();
        reads.retain(|name, _| find(inventory, name).is_some());
        reads.extend(said(gateways));
    }

    /// A client with the key of the cluster's gateways; none where there is nobody to ask.
    fn client(&self, inventory: &Inventory) -> Option<GatewayClient> {
        let mut pods = inventory.pods.iter();
        pods.find(|pod| pod.label(REVISION).is_some())?;
        let (uid, key) = (inventory.object.uid(), &inventory.keys.operator);
        self.clients.get(uid, key)
    }

    /// What the last decision told, or what an operator knows that has just started.
    fn remembered(&self, uid: &str, status: &RealtimeClusterStatus) -> Remembered {
        let known = lock(&self.remembered).get(uid).cloned();
        known.unwrap_or_else(|| match &status.rollout {
            Some(rollout) => Remembered::resumed(u64::try_from(rollout.moved).unwrap_or_default()),
            None => Remembered::default(),
        })
    }

    /// Forgets the clusters that are gone.
    pub(super) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.clients.keep(&is_there);
        self.liveness.keep(&is_there);
        lock(&self.remembered).retain(|uid, _| is_there(uid));
        lock(&self.reads).retain(|uid, _| is_there(uid));
    }
}

/// What gateways say that they read: of two with the same name, one of which may have ended, the
/// lesser.
fn said(gateways: &[GatewayStatus]) -> Reads {
    let mut said = Reads::new();
    for gateway in gateways {
        let reads = said
            .entry(gateway.name.to_string())
            .or_insert(gateway.reads);
        *reads = gateway.reads.min(*reads);
    }
    said
}

impl Moves {
    /// The wire version that is or is now to be finalised.
    pub(super) fn finalised(&self) -> Option<WireVersion> {
        self.decision.finalise.max(self.observed.finalised)
    }

    /// What people are told where gateways of the wanted revision read less than what is finalised.
    pub(super) fn too_old(&self) -> Option<Trouble> {
        let why = self.decision.too_old.clone()?;
        Some(Trouble::stalls(reason::WIRE_VERSION_TOO_OLD, why))
    }

    /// How many connections there are, of the gateways that say so.
    pub(super) fn connections(&self) -> Option<i64> {
        let counts = self.observed.pods.iter().filter_map(|pod| pod.connections);
        let sum = counts.fold(None, |sum, count| Some(sum.unwrap_or(0) + count));
        sum.and_then(|sum| i64::try_from(sum).ok())
    }

    /// What the gateway of a pod has of the rooms, if it answers.
    pub(super) async fn rooms(&self, inventory: &Inventory, pod: &str) -> Option<RoomCounts> {
        let address = address(find(inventory, pod)?)?;
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
    pub(super) async fn mark(&self, inventory: &Inventory, context: &Context) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        for (pod, serves) in &self.decision.serving {
            let value = if *serves { json!("true") } else { Value::Null };
            let fields = json!({"metadata": {"labels": {SERVING: value}}});
            troubles.extend(change(inventory, pod, &fields, context).await.err());
        }
        for (pod, cost) in &self.decision.deletion_cost {
            let fields = json!({"metadata": {"annotations": {COST: cost.to_string()}}});
            troubles.extend(change(inventory, pod, &fields, context).await.err());
        }
        troubles
    }

    /// Tells gateways to move their connections. One that cannot be told is told again.
    pub(super) async fn tell(&self, inventory: &Inventory) {
        let Some(gateways) = &self.gateways else {
            return;
        };
        let told = self.decision.drain.iter().filter_map(|(pod, command)| {
            let address = address(find(inventory, pod)?)?;
            Some(tell(gateways, pod, address, command))
        });
        join_all(told).await;
    }
}

async fn tell(gateways: &GatewayClient, pod: &str, address: IpAddr, command: &DrainCommand) {
    match gateways.drain(address, command).await {
        Ok(()) => tracing::info!(%pod, ?command, "a gateway was told about its connections"),
        Err(error) => {
            tracing::warn!(%pod, %error, "a gateway cannot be told about its connections; it is tried again");
        }
    }
}

fn find<'a>(inventory: &'a Inventory, pod: &str) -> Option<&'a Object> {
    let found = inventory.pods.iter().find(|it| it.name() == pod)?;
    Some(found)
}

async fn change(
    inventory: &Inventory,
    pod: &str,
    fields: &Value,
    context: &Context,
) -> Result<(), Trouble> {
    context
        .writer
        .change(Kind::Pod, inventory.object.namespace(), pod, fields)
        .await
}
