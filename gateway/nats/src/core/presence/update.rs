//! What gateways tell each other of a room's members.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use sluice_contract::GatewayNumber;

use crate::names::Place;

/// The most bytes of names in one message.
const MAX_BYTES: usize = 200 * 1024;

/// Something that a gateway says of its own members of a room, to all that have members there or
/// to one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PresenceUpdate {
    pub(super) gateway: GatewayNumber,
    /// Which room, where the subject does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) room: Option<Place>,
    /// Grows with every change that the gateway tells of any of its rooms, so that what was said
    /// of a room is older or newer than other things, even if the room was left between them.
    #[serde(default)]
    pub(super) version: u64,
    /// How many sessions it has in the room.
    #[serde(default)]
    pub(super) sessions: u32,
    /// Whoever has members is to say so, except those of whom this is the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) known: Option<Vec<(GatewayNumber, u64)>>,
    pub(super) what: What,
}

/// The words for all that it may say: other ones are a newer version's.
pub(super) const KINDS: [&str; 7] = ["changed", "all", "count", "same", "out", "ask", "check"];

/// What a gateway says of its members of a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// Users came and went since the version `after`.
    Changed {
        after: u64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        joined: Vec<Arc<str>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<Arc<str>>,
    },
    /// All its users, in so many parts; they come in order.
    All {
        users: Vec<Arc<str>>,
        part: u32,
        parts: u32,
    },
    /// The gateway has so many users there, too many to name.
    Count(u64),
    /// Nothing has changed since this version.
    Same,
    /// The gateway has no members there any more.
    Out,
    /// The other is to say all that it has there.
    Ask,
    /// The other is to say what is newer than these versions of these rooms.
    Check(Vec<(Place, u64)>),
}

/// Names in parts that each fit into a message; one part at least.
pub(super) fn parts(users: Vec<Arc<str>>) -> Vec<What> {
    let mut chunks: Vec<Vec<Arc<str>>> = vec![Vec::new()];
    let mut bytes = 0;
    for user in users {
        bytes += cost(&user);
        if bytes > MAX_BYTES {
            bytes = cost(&user);
            chunks.push(Vec::new());
        }
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(user);
        }
    }
    let parts = chunks.len() as u32;
    let part = |(part, users)| What::All { users, part, parts };
    (0..).zip(chunks).map(part).collect()
}

/// Whether the names of a change fit into one message.
pub(super) fn fit<'a>(mut users: impl Iterator<Item = &'a Arc<str>>) -> bool {
    let bytes = users.try_fold(0, |bytes, user| {
        let bytes = bytes + cost(user);
        (bytes <= MAX_BYTES).then_some(bytes)
    });
    bytes.is_some()
}

/// How many bytes a name is as JSON, with its comma.
pub(super) fn cost(user: &str) -> usize {
    let bytes = user.bytes().map(|byte| match byte {
        b'"' | b'\\' => 2,
        0..0x20 => 6,
        _ => 1,
    });
    bytes.sum::<usize>() + 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_change_is_short() {
        let update = PresenceUpdate {
            gateway: GatewayNumber(10),
            room: None,
            version: 8,
            sessions: 3,
            known: None,
            what: What::Changed {
                after: 7,
                joined: vec!["ann".into()],
                left: Vec::new(),
            },
        };
        let text = serde_json::to_string(&update).unwrap();
        let short = r#"{"gateway":"0000000a","version":8,"sessions":3,"what":{"changed":{"after":7,"joined":["ann"]}}}"#;
        assert_eq!(text, short);
    }

    #[test]
    fn the_words_for_what_is_said_are_known_ones() {
        let changed = What::Changed {
            after: 0,
            joined: Vec::new(),
            left: Vec::new(),
        };
        let all = parts(Vec::new()).remove(0);
        let count = What::Count(1);
        let check = What::Check(Vec::new());
        let all = [changed, all, count, What::Same, What::Out, What::Ask, check];
        for (what, kind) in all.iter().zip(KINDS) {
            let text = serde_json::to_string(what).unwrap();
            assert!(text.contains(&format!("\"{kind}\"")), "{text}");
        }
    }

    #[test]
    fn nobody_at_all_is_one_part() {
        assert_eq!(parts(Vec::new()).len(), 1);
    }

    proptest! {
        #[test]
        fn parts_are_bounded_and_add_up(long in prop::collection::vec((0usize..256, any::<bool>()), 0..2_000)) {
            let name = |(len, odd): &(usize, bool)| Arc::<str>::from(if *odd { "\u{1}" } else { "x" }.repeat(*len));
            let users: Vec<_> = long.iter().map(name).collect();
            let parts = parts(users.clone());
            let mut all = Vec::new();
            for (at, part) in parts.iter().enumerate() {
                prop_assert!(serde_json::to_vec(part).unwrap().len() < 256 * 1024);
                let What::All { users, part, parts: count } = part else { panic!("{part:?}") };
                prop_assert_eq!((*part as usize, *count as usize), (at, parts.len()));
                all.extend(users.iter().cloned());
            }
            prop_assert_eq!(all, users);
        }
    }
}
