//! What gateways tell each other of how many sessions users have.

use serde::{Deserialize, Serialize};
use sluice_util::Digest64;

use sluice_contract::GatewayNumber;

/// The most users in one message: some 240 KB.
pub(super) const MAX_COUNTS: usize = 8_192;

/// A user, shortened to the same 64 bits by every gateway.
pub(super) fn shortened(user: &str) -> u64 {
    Digest64::of(user).bits()
}

/// Users and how many sessions they have at the gateway that says so; 0 where they have none any
/// more.
pub(super) type Counts = Vec<(u64, u32)>;

/// Something that a gateway says of its own sessions, to all or to one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct UsersUpdate {
    pub(super) gateway: GatewayNumber,
    /// Grows by 1 with every change that the gateway tells.
    #[serde(default)]
    pub(super) version: u64,
    /// Everybody is to say all they have, except those of whom this is the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) known: Option<Vec<(GatewayNumber, u64)>>,
    pub(super) what: What,
}

/// The words for all that it may say: other ones are a newer version's.
pub(super) const KINDS: [&str; 4] = ["changed", "all", "same", "ask"];

/// What a gateway says of its sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// The counts that are different from those of the version before.
    Changed(Counts),
    /// All its counts, in so many parts; they come in order.
    All {
        counts: Counts,
        part: u32,
        parts: u32,
    },
    /// Nothing has changed since this version.
    Same,
    /// The other is to say all that it has.
    Ask,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gateway_shortens_a_user_alike() {
        assert_eq!(shortened(""), 0xe3b0_c442_98fc_1c14);
        assert_ne!(shortened("ann"), shortened("bob"));
    }

    #[test]
    fn the_words_for_what_is_said_are_known_ones() {
        let all = What::All {
            counts: Counts::new(),
            part: 0,
            parts: 1,
        };
        let all = [What::Changed(Counts::new()), all, What::Same, What::Ask];
        for (what, kind) in all.iter().zip(KINDS) {
            let text = serde_json::to_string(what).unwrap();
            assert!(text.contains(&format!("\"{kind}\"")), "{text}");
        }
    }

    #[test]
    fn a_message_is_bounded() {
        let counts = vec![(u64::MAX, u32::MAX); MAX_COUNTS];
        let text = serde_json::to_vec(&What::Changed(counts)).unwrap();
        assert!(text.len() < 512 * 1024);
    }
}
