//! What a command of the decider is in the server API.

use sluice_contract::{DrainProgress, DrainRequest};

use crate::fleet::{DrainCommand, DrainSeen};

/// What a gateway says of its drain, for the decider.
pub(super) fn seen(progress: &DrainProgress) -> DrainSeen {
    DrainSeen {
        phase: progress.phase,
        moved: progress.moved,
        remaining: progress.remaining,
        rate: progress.rate,
        eta: progress.eta,
    }
}

/// The request for a command; none where it ends a drain.
pub(super) fn request(command: &DrainCommand) -> Option<DrainRequest> {
    match command {
        DrainCommand::Start { reason, rate } => Some(DrainRequest {
            reason: Some(reason.as_str().to_owned()),
            connections_per_second: *rate,
            connections: None,
        }),
        DrainCommand::Rebalance { connections, rate } => Some(DrainRequest {
            reason: Some("rebalance".to_owned()),
            connections_per_second: *rate,
            connections: Some(*connections),
        }),
        DrainCommand::Cancel => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::DrainReason;

    #[test]
    fn a_command_says_only_what_it_means() {
        let start = DrainCommand::Start {
            reason: DrainReason::Rollout,
            rate: None,
        };
        let body = serde_json::to_string(&request(&start)).unwrap();
        assert_eq!(body, r#"{"reason":"rollout"}"#);
        assert_eq!(request(&DrainCommand::Cancel), None);
    }
}
