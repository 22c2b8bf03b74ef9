//! Revocations out of the bucket, as they take hold at this gateway.

use std::sync::{Arc, RwLock};

use sluice_backbone::{BackboneEvent, Command, Gather, Target};
use sluice_contract::Revocation;
use sluice_policy::Revocations;
use sluice_rooms::SessionId;
use sluice_util::{unix_seconds, write};

use crate::inboxes::{InboxItem, Inboxes};

/// Has revocations take hold.
pub(super) struct Revoker {
    pub(super) revocations: Arc<RwLock<Revocations>>,
    pub(super) inboxes: Arc<Inboxes>,
}

impl Revoker {
    /// Refuses from now on what is revoked, and disconnects those whom this gateway has: it may
    /// have missed the command to do so.
    pub(super) fn take(&self, revocation: Revocation) {
        let command = command(&revocation);
        let mut revocations = write(&self.revocations);
        let is_new = insert(&mut revocations, revocation);
        drop(revocations);
        let Some(command) = command.filter(|_| is_new) else {
            return;
        };
        let command = Arc::new(command);
        let gather = Gather::then(|_| {});
        self.inboxes.send_all(|| {
            InboxItem::Backbone(BackboneEvent::Command(Arc::clone(&command), gather.clone()))
        });
    }
}

/// Refuses from now on what is revoked. Returns whether that changes anything.
pub(super) fn insert(revocations: &mut Revocations, revocation: Revocation) -> bool {
    revocations
        .revoke(revocation, unix_seconds())
        .unwrap_or_else(|error| {
            tracing::error!(%error, "a revocation is not in force at this gateway");
            false
        })
}

fn command(revocation: &Revocation) -> Option<Command> {
    Some(match revocation {
        Revocation::Token { id, .. } => Command::Revoke(Target::Token(Arc::clone(id)), None),
        Revocation::User { id, issued, .. } => {
            Command::Revoke(Target::User(Arc::clone(id)), Some(*issued))
        }
        Revocation::Session { id, .. } => {
            Command::Revoke(Target::Session(SessionId::parse(id)?), None)
        }
    })
}
