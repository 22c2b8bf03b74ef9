//! Asking the gateway that has a session to give it up.

use std::time::Duration;

use super::{Step, ask};
use crate::{
    Packet,
    core::{
        io::Io,
        sessions::{Sessions, giving},
    },
};
use sluice_contract::{Call, GatewayNumber};

/// How long the gateway that has the session may take to give it up; one that takes longer counts
/// as dead.
const OWNER: Duration = Duration::from_secs(1);

impl Sessions {
    pub(super) fn ask_owner(&mut self, io: &mut Io<'_>, id: u64, owner: u32) {
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        claiming.owner = owner;
        if self.claims.left.contains(&owner) {
            return self.read_kept(io, id);
        }
        claiming.step = Step::Owner;
        let to = io.names.call(GatewayNumber(owner), Call::Claim);
        let body = giving::write_claim(&claiming.claim);
        claiming.asked = ask(io, to, body, id, OWNER);
    }

    /// A gateway has said goodbye. It gives nothing up any more, and all that it had is stored: who
    /// waits for its answer would do so for [`OWNER`].
    pub(crate) fn left(&mut self, io: &mut Io<'_>, gateway: u32) {
        self.claims.left.insert(gateway);
        let open = self.claims.open.iter();
        let waits = open.filter(|(_, it)| it.step == Step::Owner && it.owner == gateway);
        let waiting: Vec<_> = waits.map(|(id, it)| (*id, it.asked)).collect();
        for (id, asked) in waiting {
            io.requests.close(asked);
            self.read_kept(io, id);
        }
    }

    /// A gateway that may have said goodbye is gone: nothing of it is on its way any more.
    pub(crate) fn gone(&mut self, gateway: u32) {
        self.claims.left.remove(&gateway);
    }

    pub(super) fn owner_answered(&mut self, io: &mut Io<'_>, id: u64, packet: &Packet) {
        if packet.headers.status().is_some() {
            // Nobody listens there any more.
            return self.read_kept(io, id);
        }
        let Some(claiming) = self.claims.open.get_mut(&id) else {
            return;
        };
        match giving::read_given(&packet.payload, &claiming.claim.namespace) {
            Some(given) => {
                claiming.record = Some(given);
                self.store_own(io, id);
            }
            None => self.look_again(io, id),
        }
    }
}
