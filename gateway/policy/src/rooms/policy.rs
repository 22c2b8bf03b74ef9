//! What one Room document allows and keeps.

use std::time::Duration;

use sluice_crds::RoomSpec;
use sluice_crds::room::OnSlowConsumer;

use super::{Pattern, Tally};
use crate::limits::Rate;
use crate::{AccessError, AccessRule, Identity, RoomInput, Schemas};

/// What a Room document says of the rooms that it is for, compiled.
#[derive(Debug)]
pub struct RoomPolicy {
    /// The name of the document; empty for rooms that none is for.
    pub name: Box<str>,
    /// The names of the rooms.
    pub pattern: Pattern,
    /// What is kept of their messages; `None` keeps nothing.
    pub history: Option<History>,
    /// Whether members see each other.
    pub presence: Presence,
    /// What one room may take.
    pub limits: RoomLimits,
    /// What the data of published messages must look like.
    pub schemas: Schemas,
    /// What happens when a member reads too slowly.
    pub on_slow_consumer: OnSlowConsumer,
    /// What goes on in them.
    pub tally: Tally,
    pub(crate) rules: Rules,
    /// What its regular expressions take.
    pub(crate) pattern_bytes: usize,
    /// What this was compiled from, to see whether it has changed.
    pub(crate) source: Option<RoomSpec>,
}

#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) join: AccessRule,
    pub(crate) publish: AccessRule,
    pub(crate) presence: AccessRule,
    pub(crate) history: Option<AccessRule>,
}

/// What somebody wants to do in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Become a member.
    Join,
    /// Publish a message; one need not be a member.
    Publish,
    /// See who is there.
    Presence,
    /// Read what was published; whoever may join may, unless the Room says otherwise.
    History,
}

/// What is kept of a room's messages. A message goes when it is beyond either bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// How many messages are kept.
    pub max_messages: Option<u32>,
    /// How long a message is kept.
    pub max_age: Option<Duration>,
}

/// Whether members see each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// Whether it is known who is in the room.
    pub enabled: bool,
    /// Whether members are told when users join and leave; only with `enabled`.
    pub announce: bool,
}

/// What one room may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomLimits {
    /// Members of one room.
    pub members: u32,
    /// Messages that may be published to one room.
    pub messages: Rate,
}

impl RoomPolicy {
    /// Whether `identity` may do this in the room of that namespace and name.
    pub fn may(
        &self,
        action: Action,
        identity: &Identity,
        namespace: &str,
        room: &str,
    ) -> Result<(), AccessError> {
        let rules = &self.rules;
        let rule = match action {
            Action::Join => &rules.join,
            Action::Publish => &rules.publish,
            Action::Presence => &rules.presence,
            Action::History => rules.history.as_ref().unwrap_or(&rules.join),
        };
        let suffix = self.pattern.suffix(room).unwrap_or_default();
        rule.check(
            identity,
            RoomInput {
                name: room,
                namespace,
                suffix,
            },
        )
    }
}
