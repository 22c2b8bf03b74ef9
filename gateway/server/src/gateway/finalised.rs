//! The wire version up to which rollouts are finalised, as this gateway hears of it.

use std::sync::Arc;

use sluice_contract::WireVersion;
use sluice_nats::Nats;

/// Rollouts are finalised up to this wire version. A gateway that does not read it says so at once;
/// that it is not ready is said by [`Readiness`](crate::readiness::Readiness).
pub(super) fn take(nats: &Arc<Nats>, finalised: WireVersion) {
    let (reads, beyond) = nats.with(|core, _, _| {
        core.set_finalised(finalised);
        (core.reads(), core.finalised_beyond())
    });
    if beyond.is_some() {
        tracing::error!(
            reads = reads.0,
            finalised = finalised.0,
            "this gateway cannot read what its fleet may write and is not ready; run a newer version of it"
        );
    } else {
        tracing::debug!(
            finalised = finalised.0,
            "the finalised wire version is known"
        );
    }
}
