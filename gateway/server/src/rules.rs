//! What a Room document means for the rooms it is for, in the backbone's and the API's terms.

use std::{
    sync::{Arc, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use serde_json::value::RawValue;
use sluice_bucket::Connection;
use sluice_contract::Code;
use sluice_crds::room::OnSlowConsumer;
use sluice_policy::{Action, Identity, Policy, Revocations, RoomPolicy};
use sluice_rooms::{HistoryLimits, PresenceMode, RoomKey, RoomSettings, SlowConsumer};
use sluice_util::{unix_seconds, write};

use crate::failure::Failure;

/// The bound on a history that its Room bounds by age only.
pub(crate) const MAX_MESSAGES: u32 = 100_000;

/// The bound on a history that its Room bounds by count only.
pub(crate) const MAX_AGE: Duration = Duration::from_hours(365 * 24);

/// A room's settings.
pub(crate) fn settings(policy: &RoomPolicy) -> RoomSettings {
    let documented = !policy.name.is_empty();
    RoomSettings {
        history: policy.history.map(|history| HistoryLimits {
            max_messages: history.max_messages.unwrap_or(MAX_MESSAGES) as usize,
            max_age: history.max_age.unwrap_or(MAX_AGE),
        }),
        presence: match (
            policy.presence.enabled,
            policy.presence.announce && documented,
        ) {
            (false, _) => PresenceMode::Off,
            (true, false) => PresenceMode::Asked,
            (true, true) => PresenceMode::Announced,
        },
        messages_per_second: documented.then(|| policy.limits.messages.events()),
        members: documented.then_some(policy.limits.members),
        slow_consumer: match policy.on_slow_consumer {
            OnSlowConsumer::Close => SlowConsumer::Close,
            OnSlowConsumer::Drop => SlowConsumer::Drop,
        },
    }
}

/// Whether an identity may do something in a room.
pub(crate) fn may(
    policy: &RoomPolicy,
    action: Action,
    identity: &Identity,
    room: &RoomKey,
) -> Result<(), Failure> {
    Ok(policy.may(action, identity, &room.namespace, &room.name)?)
}

/// Whether a message's data is what the room's schemas ask for.
pub(crate) fn validate(policy: &RoomPolicy, event: &str, data: &str) -> Result<(), Failure> {
    if policy.schemas.is_empty() {
        return Ok(());
    }
    let raw: &RawValue = serde_json::from_str(data)
        .map_err(|e| Failure::arguments(format!("the data is not JSON: {e}")))?;
    Ok(policy.schemas.validate(event, raw)?)
}

/// The policy that holds now, for the server API.
pub(crate) struct Current {
    pub(crate) policy: Arc<ArcSwap<Policy>>,
    pub(crate) revocations: Arc<RwLock<Revocations>>,
    /// Where more than this gateway is told of what is revoked, if there is such a place.
    pub(crate) bucket: Option<Connection>,
}

impl Current {
    fn policy(&self) -> Arc<Policy> {
        self.policy.load_full()
    }
}

impl sluice_api::Rules for Current {
    fn has_namespace(&self, namespace: &str) -> bool {
        self.policy().has_namespace(namespace)
    }

    fn room(&self, room: &RoomKey) -> Option<RoomSettings> {
        self.policy()
            .room(&room.namespace, &room.name)
            .map(|policy| settings(policy))
    }

    fn check(&self, room: &RoomKey, event: &str, data: &str) -> Result<(), sluice_api::Refusal> {
        let policy = self.policy();
        let Some(room) = policy.room(&room.namespace, &room.name) else {
            return Ok(());
        };
        let Ok(raw) = serde_json::from_str::<&RawValue>(data) else {
            return Ok(());
        };
        room.schemas
            .validate(event, raw)
            .map_err(|error| sluice_api::Refusal::new(error.code(), error.to_string()))
    }

    fn published(&self, room: &RoomKey) {
        if let Some(policy) = self.policy().room(&room.namespace, &room.name) {
            policy.tally.published();
        }
    }

    fn revoke(
        &self,
        target: &sluice_backbone::Target,
        issued: Option<u64>,
        until: u64,
    ) -> Result<sluice_api::Kept, sluice_api::Refusal> {
        let now = unix_seconds();
        let Some(revocation) = revocation(target, issued.unwrap_or(now), until) else {
            return Ok(Box::pin(std::future::ready(Ok(()))));
        };
        let mut revocations = write(&self.revocations);
        revocations
            .revoke(revocation.clone(), now)
            .map_err(|full| {
                sluice_api::Refusal::new(
                    Code::RevocationsFull,
                    format!(
                        "{} revocations are in force; wait until some of them have expired",
                        full.limit
                    ),
                )
            })?;
        let bucket = self.bucket.clone();
        Ok(Box::pin(async move {
            let Some(bucket) = bucket else {
                return Ok(());
            };
            bucket.revoke(&revocation, now).await.map_err(|error| {
                tracing::error!(%error, "a revocation is in force at this gateway only; ask for it again");
                sluice_backbone::Error::Unavailable.into()
            })
        }))
    }
}

fn revocation(
    target: &sluice_backbone::Target,
    issued: u64,
    until: u64,
) -> Option<sluice_contract::Revocation> {
    use sluice_backbone::Target;
    use sluice_contract::Revocation;
    Some(match target {
        Target::User(user) => Revocation::User {
            id: Arc::clone(user),
            issued,
            until,
        },
        Target::Session(session) => Revocation::Session {
            id: session.to_string().into(),
            until,
        },
        Target::Token(token) => Revocation::Token {
            id: Arc::clone(token),
            until,
        },
        Target::Everyone => return None,
    })
}
