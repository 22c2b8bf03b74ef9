//! Which forms a fleet may write.

use serde::{Deserialize, Serialize};

/// The number of a set of forms: of positions, session records, message ids and subjects.
///
/// A gateway reads every version up to a newest one, and says in its heartbeats which that is; one
/// that says nothing is of 0.1.0 and reads the first. New forms are written only once all gateways
/// of a fleet read them *and* the rollout that brought them is finalised (`status.wireVersion` of
/// the `RealtimeCluster`, and [`Finalised`](crate::Finalised) in the bucket): see
/// [`WireVersion::writable`]. Until then the gateways that were there
/// before can come back, and find nothing that they cannot read.
///
/// A form that older gateways must not take for one of theirs says in a field `wire` which version
/// reads it. Fields alone may be added at any time: readers skip those that they do not know. Two
/// forms are an exception while a gateway of 0.1.0 may be there, which refuses unknown fields in
/// them: a [`Revocation`](crate::Revocation), and a [`DrainRequest`](crate::DrainRequest).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(inline))]
#[serde(transparent)]
pub struct WireVersion(pub u32);

impl WireVersion {
    /// That of 0.1.0.
    pub const FIRST: Self = Self(1);

    /// From this one on, the ids that publishers give their messages are their own: the `Nats-Msg-Id`
    /// of a client's names who published it. No gateway reads that; but the same message, sent again
    /// through a gateway that writes another form, would be stored twice.
    pub const ID_OF_PUBLISHER: Self = Self(2);

    /// The newest one that this version of the project reads.
    pub const CURRENT: Self = Self::ID_OF_PUBLISHER;

    /// What a fleet may write whose rollouts are finalised up to `finalised`, and whose live
    /// gateways, the own one among them, each read up to one of `read`: the least of all.
    ///
    /// ```
    /// use sluice_contract::WireVersion;
    ///
    /// let fleet = [WireVersion(3), WireVersion(2), WireVersion(3)];
    /// assert_eq!(WireVersion(3).writable(fleet), WireVersion(2));
    /// assert_eq!(WireVersion(1).writable(fleet), WireVersion(1));
    /// ```
    #[must_use]
    pub fn writable(self, read: impl IntoIterator<Item = Self>) -> Self {
        read.into_iter().fold(self, Self::min).max(Self::FIRST)
    }

    /// Whether it is the first, which is not written out.
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    pub(crate) fn is_first(&self) -> bool {
        *self == Self::FIRST
    }
}

impl Default for WireVersion {
    /// Who does not say it is of the first version.
    fn default() -> Self {
        Self::FIRST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_writes_what_all_read_and_no_more_than_was_finalised() {
        let writable = |finalised: u32, read: &[u32]| {
            let read = read.iter().copied().map(WireVersion);
            WireVersion(finalised).writable(read).0
        };
        assert_eq!(writable(2, &[3, 3]), 2);
        assert_eq!(writable(3, &[3, 2, 3]), 2);
        assert_eq!(writable(3, &[3, 1]), 1, "one of 0.1.0 has come back");
        assert_eq!(writable(3, &[]), 3);
    }

    #[test]
    fn what_makes_no_sense_counts_as_the_first() {
        assert_eq!(
            WireVersion(2).writable([WireVersion(0)]),
            WireVersion::FIRST
        );
    }
}
