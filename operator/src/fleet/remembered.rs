//! What one decision tells the next.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// What cannot be read from the cluster. An operator that has just started does without it: it
/// waits anew where it had waited, and nothing else differs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Remembered {
    /// Since when fewer gateways would do than autoscaling asked for.
    pub(super) fewer_since: Option<Timestamp>,
    /// Since when connections are spread unevenly.
    pub(super) uneven_since: Option<Timestamp>,
    /// Since when gateways that are to go have not answered.
    pub(super) silent_since: BTreeMap<String, Timestamp>,
    /// Connections that the rollout has moved.
    pub(super) moved: u64,
    /// What each gateway said of them last.
    pub(super) moved_by: BTreeMap<String, u64>,
    /// Whether what gateways now say is part of `moved` already.
    pub(super) resumed: bool,
}

impl Remembered {
    /// Whether something is waited for that nothing but time brings.
    pub fn waits(&self) -> bool {
        self.uneven_since.is_some()
    }

    /// What an operator that has just started knows from `status.rollout.moved`.
    pub fn resumed(moved: u64) -> Self {
        Self {
            moved,
            resumed: true,
            ..Self::default()
        }
    }
}
