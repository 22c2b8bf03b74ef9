//! Other gateways of one's own name: what is asked of a gateway by its name may reach either.

use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;

use super::peer::Peer;

/// How long after a gateway was connected for the first time a heartbeat is no more the last one of
/// a gateway of its name that has just ended, as a pod that starts again hears it of itself.
const GHOST: Duration = Duration::from_secs(3);

/// Those that live now.
#[derive(Debug, Default)]
pub(super) struct Namesakes {
    living: FxHashSet<u32>,
}

impl Namesakes {
    /// Looks who has the name `own`, and says so of each that was not seen before. `began` is when
    /// this gateway was connected for the first time.
    pub(super) fn look<'a>(
        &mut self,
        (now, began): (Instant, Instant),
        own: &str,
        peers: impl Iterator<Item = (&'a u32, &'a Peer)>,
    ) {
        let lives = |peer: &Peer| {
            let beside = |heard| heard >= began + GHOST;
            peer.name.as_ref() == own && peer.is_heard(now) && peer.heard.is_some_and(beside)
        };
        let living: FxHashSet<_> = peers
            .filter(|(_, peer)| lives(peer))
            .map(|(gateway, _)| *gateway)
            .collect();
        for gateway in living.difference(&self.living) {
            tracing::warn!(
                name = own,
                other = %sluice_contract::GatewayNumber(*gateway),
                "another gateway of the fleet has the same name, and what is asked of one by its name may reach the other: give each gateway a name of its own with --name or SLUICE_NAME"
            );
        }
        self.living = living;
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.living.len()
    }
}
