//! Which wire version is finalised, and which gateways are too old for it.

use sluice_contract::WireVersion;

use super::{Observed, PodSeen, victims::Fleet};

impl Observed {
    /// Whether nobody may be led to the gateway of a pod: its fleet may write what it does not read.
    /// While it has not said that, it counts as others of its revision do.
    pub(super) fn is_barred(&self, pod: &PodSeen) -> bool {
        let finalised = self.finalised.unwrap_or_default();
        self.reads(pod).is_some_and(|reads| reads < finalised)
    }

    /// Whether nothing is known of what the gateway of a pod reads while that matters. One that has
    /// taken clients was known to an operator before.
    pub(super) fn is_unheard(&self, pod: &PodSeen) -> bool {
        let matters = self.finalised > Some(WireVersion::FIRST);
        let was_known = pod.ready && (pod.serving || pod.connections > Some(0));
        matters && !was_known && self.reads(pod).is_none()
    }

    fn reads(&self, pod: &PodSeen) -> Option<WireVersion> {
        let alike = self.pods.iter().filter(|it| it.revision == pod.revision);
        pod.reads.or_else(|| alike.filter_map(|it| it.reads).min())
    }
}

/// The wire version to finalise now, where that is more than what is finalised: what all gateways
/// read, once all have said it and all are of the wanted revision.
pub(super) fn finalises(observed: &Observed) -> Option<WireVersion> {
    let wanted = |name: &str| name == observed.revision;
    let mut revisions = observed.revisions.iter();
    let mut pods = observed.pods.iter();
    let is_done = revisions.all(|it| wanted(&it.name)) && pods.all(|it| wanted(&it.revision));
    // Nothing said is less than anything.
    let least = observed.pods.iter().map(|pod| pod.reads).min()??;
    let least = least.max(WireVersion::FIRST);
    (is_done && Some(least) > observed.finalised).then_some(least)
}

/// Whether a gateway that is ready is waited for, because it has not said what it reads.
pub(super) fn waits(fleet: &Fleet<'_>) -> bool {
    let mut staying = fleet.staying();
    staying.any(|gateway| gateway.pod.ready && fleet.observed.is_unheard(gateway.pod))
}

/// A sentence for people where gateways that are to stay are too old.
pub(super) fn too_old(fleet: &Fleet<'_>) -> Option<String> {
    let finalised = fleet.observed.finalised?;
    let mut old = fleet.staying().filter_map(|gateway| {
        let reads = gateway.pod.reads.filter(|_| gateway.barred)?;
        Some((gateway.pod, reads))
    });
    let (pod, reads) = old.next()?;
    Some(format!(
        "the gateways of the revision {} read the wire version {} ({} says so), and {} is finalised: they could not read what is stored, so no clients are led to them, and those that were there before go on; go forward instead, with a gateway.image that reads {}",
        pod.revision, reads.0, pod.name, finalised.0, finalised.0
    ))
}
