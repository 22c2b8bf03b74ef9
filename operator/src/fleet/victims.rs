//! Which gateways stay and which leave.

use std::cmp::Reverse;

use sluice_contract::DrainPhase;

use super::{DrainReason, Observed, PodSeen, REMOVED_FIRST, RevisionSeen, Settings};

/// A fleet, and what is to become of each of its gateways.
pub(super) struct Fleet<'a> {
    pub(super) observed: &'a Observed,
    pub(super) settings: &'a Settings,
    /// The revision that stays: the wanted one, unless the rollout to it was paused before it
    /// began.
    pub(super) revision: &'a str,
    /// How many gateways are wanted.
    pub(super) wanted: u32,
    /// How many may run beyond that.
    pub(super) surge: u32,
    /// The gateways that are not being deleted.
    pub(super) gateways: Vec<Gateway<'a>>,
}

/// A gateway that is not being deleted.
pub(super) struct Gateway<'a> {
    pub(super) pod: &'a PodSeen,
    /// Why it leaves; `None` where it stays.
    pub(super) leaves: Option<DrainReason>,
    /// Whether it leaves later: the rollout is paused.
    pub(super) held: bool,
    /// Whether nobody may be led to it: it does not read what is finalised, or has not said it yet.
    pub(super) barred: bool,
}

impl<'a> Fleet<'a> {
    pub(super) fn new(observed: &'a Observed, settings: &'a Settings, wanted: u32) -> Self {
        let revision = revision(observed);
        let live = observed.pods.iter().filter(|pod| !pod.terminating);
        let mut gateways: Vec<_> = live
            .map(|pod| {
                let leaves = leaves(pod, revision);
                let held = observed.paused && leaves == Some(DrainReason::Rollout);
                Gateway {
                    pod,
                    leaves,
                    held,
                    // Of one that leaves, nothing is waited for.
                    barred: observed.is_barred(pod) || leaves.is_none() && observed.is_unheard(pod),
                }
            })
            .collect();
        leave_surplus(&mut gateways, wanted as usize);
        Self {
            observed,
            settings,
            revision,
            wanted,
            surge: settings.max_surge.of(wanted),
            gateways,
        }
    }

    /// Those that leave.
    pub(super) fn leaving(&self) -> impl Iterator<Item = &Gateway<'a>> {
        self.gateways
            .iter()
            .filter(|gateway| gateway.leaves.is_some())
    }

    /// Those that stay.
    pub(super) fn staying(&self) -> impl Iterator<Item = &Gateway<'a>> {
        self.gateways
            .iter()
            .filter(|gateway| gateway.leaves.is_none())
    }

    /// Those that leave and are to be replaced, not those that are too many.
    pub(super) fn replaced(&self) -> impl Iterator<Item = &Gateway<'a>> {
        self.leaving()
            .filter(|gateway| gateway.leaves != Some(DrainReason::ScaleDown))
    }

    /// Those that stay and take connections, whether the Service selects them or not.
    pub(super) fn open(&self) -> impl Iterator<Item = &Gateway<'a>> {
        self.staying().filter(|gateway| gateway.is_open())
    }

    /// Those that new connections come to and that stay.
    pub(super) fn served(&self) -> impl Iterator<Item = &Gateway<'a>> {
        self.open().filter(|gateway| gateway.pod.serving)
    }

    /// Whether connections that are moved find a gateway that stays; where none is wanted, they
    /// need none.
    pub(super) fn can_take(&self) -> bool {
        self.wanted == 0 || self.served().next().is_some()
    }

    /// Whether a rollout is under way or is to begin.
    pub(super) fn rolls_out(&self) -> bool {
        let old = |gateway: &&Gateway<'_>| gateway.leaves == Some(DrainReason::Rollout);
        self.revision != self.observed.revision
            || self.leaving().any(|gateway| old(&gateway))
            || self
                .observed
                .pods
                .iter()
                .any(|pod| pod.revision != self.revision)
    }

    /// How many replicas the Deployment of a revision has.
    pub(super) fn replicas_of(&self, revision: &str) -> u32 {
        let mut seen = self.observed.revisions.iter();
        let seen = seen.find(|seen| seen.name == revision);
        seen.map_or(0, |seen| seen.replicas)
    }

    /// The connections of all gateways that answer, of those that end too.
    pub(super) fn connections(&self) -> u64 {
        self.observed
            .pods
            .iter()
            .filter_map(|pod| pod.connections)
            .sum()
    }

    /// How many gateways that take connections could be missed.
    pub(super) fn spare(&self) -> usize {
        let open = self.gateways.iter().filter(|gateway| gateway.is_open());
        open.count().saturating_sub(self.wanted as usize)
    }

    /// The old revision that serves while the wanted one does not: the one with the most gateways
    /// that are ready.
    pub(super) fn fallback(&self) -> Option<&'a str> {
        let old = self
            .observed
            .revisions
            .iter()
            .filter(|seen| seen.name != self.revision);
        old.max_by_key(|seen| self.strength(seen))
            .map(|seen| seen.name.as_str())
    }

    fn strength(&self, seen: &'a RevisionSeen) -> (usize, usize, Reverse<&'a str>) {
        strength(self.observed, seen)
    }
}

impl Gateway<'_> {
    /// Where its drain is, as far as is known.
    pub(super) fn phase(&self) -> DrainPhase {
        self.pod.drain.map(|drain| drain.phase).unwrap_or_default()
    }

    /// Whether it moves all connections, or has moved them.
    pub(super) fn drains(&self) -> bool {
        self.phase().moves_all() || self.phase() == DrainPhase::Release
    }

    /// Whether it takes connections. Of one that leaves and does not answer this is not assumed:
    /// it may just have ended.
    pub(super) fn is_open(&self) -> bool {
        let answers = self.leaves.is_none() || self.pod.drain.is_some();
        self.pod.ready && answers && !self.drains() && !self.barred
    }

    /// Whether it is known to hold no connection.
    pub(super) fn is_empty(&self) -> bool {
        !self.pod.running || self.pod.connections == Some(0)
    }

    /// Whether no new connections come to it.
    pub(super) fn is_out(&self) -> bool {
        !self.pod.serving || !self.pod.ready
    }
}

/// The wanted revision, or the one that serves where the wanted one must not begin yet.
fn revision(observed: &Observed) -> &str {
    let begun = observed
        .revisions
        .iter()
        .any(|seen| seen.name == observed.revision);
    if !observed.paused || begun {
        return &observed.revision;
    }
    let strongest = observed
        .revisions
        .iter()
        .max_by_key(|seen| strength(observed, seen));
    strongest.map_or(&observed.revision, |seen| &seen.name)
}

fn strength<'a>(observed: &Observed, seen: &'a RevisionSeen) -> (usize, usize, Reverse<&'a str>) {
    let live = observed
        .pods
        .iter()
        .filter(|pod| pod.revision == seen.name && !pod.terminating);
    let ready = live
        .clone()
        .filter(|pod| pod.ready && !observed.is_barred(pod));
    (ready.count(), live.count(), Reverse(&seen.name))
}

fn leaves(pod: &PodSeen, revision: &str) -> Option<DrainReason> {
    if pod.revision != revision {
        Some(DrainReason::Rollout)
    } else if pod.node_unschedulable {
        Some(DrainReason::NodeDrain)
    } else {
        None
    }
}

/// Has those leave that are too many: those first that are leaving already, then those that
/// serve nobody, then those with the fewest connections.
fn leave_surplus(gateways: &mut [Gateway<'_>], wanted: usize) {
    let mut staying: Vec<_> = gateways.iter_mut().filter(|g| g.leaves.is_none()).collect();
    let surplus = staying.len().saturating_sub(wanted);
    staying.sort_by_key(|gateway| {
        let pod = gateway.pod;
        let leaving = gateway.drains() || pod.deletion_cost == Some(REMOVED_FIRST);
        // One that was chosen before and does not answer has most likely just ended.
        let unknown = if pod.serving { u64::MAX } else { 0 };
        let connections = pod.connections.unwrap_or(unknown);
        let newest = Reverse(pod.created);
        (
            !leaving,
            pod.ready && !gateway.barred,
            connections,
            pod.serving,
            newest,
            pod.name.as_str(),
        )
    });
    for gateway in staying.into_iter().take(surplus) {
        gateway.leaves = Some(DrainReason::ScaleDown);
    }
}
