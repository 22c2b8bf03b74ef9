//! What the spec says about how a fleet moves.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use sluice_crds::{RealtimeClusterSpec, cluster::Autoscaling};

/// How a fleet is to move: the part of the spec that decisions depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `gateway.replicas`, which a user or an autoscaler of theirs writes.
    pub replicas: u32,
    /// `gateway.autoscaling`; where it is set, `replicas` does not count.
    pub autoscaling: Option<Autoscaling>,
    /// `gateway.maxConnections`: what one gateway takes.
    pub max_connections: u64,
    /// `gateway.rebalance`.
    pub rebalance: bool,
    /// `rollout.maxSurge`.
    pub max_surge: Surge,
    /// `drain.settle`.
    pub settle: Duration,
    /// `drain.window`.
    pub window: Duration,
    /// `drain.deadline`.
    pub deadline: Duration,
    /// `drain.connectionsPerSecond`, over all gateways.
    pub connections_per_second: u32,
}

impl From<&RealtimeClusterSpec> for Settings {
    fn from(spec: &RealtimeClusterSpec) -> Self {
        Self {
            replicas: spec.gateway.replicas,
            autoscaling: spec.gateway.autoscaling.clone(),
            max_connections: spec.gateway.max_connections.into(),
            rebalance: spec.gateway.rebalance,
            max_surge: Surge::from(&spec.rollout.max_surge),
            settle: spec.drain.settle.into(),
            window: spec.drain.window.into(),
            deadline: spec.drain.deadline.into(),
            connections_per_second: spec.drain.connections_per_second.max(1),
        }
    }
}

/// How many gateways may run beyond the wanted number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surge {
    /// A number of gateways.
    Number(u32),
    /// Percent of the wanted number.
    Percent(u32),
}

impl Surge {
    /// How many beyond `wanted`: at least one, and percentages rounded up.
    pub fn of(self, wanted: u32) -> u32 {
        let surge = match self {
            Self::Number(number) => number,
            Self::Percent(percent) => wanted.saturating_mul(percent).div_ceil(100),
        };
        surge.max(1)
    }
}

impl From<&IntOrString> for Surge {
    /// What the schema refuses counts as one.
    fn from(value: &IntOrString) -> Self {
        match value {
            IntOrString::Int(number) => Self::Number(u32::try_from(*number).unwrap_or(1)),
            IntOrString::String(text) => match text.strip_suffix('%') {
                Some(percent) => Self::Percent(percent.parse().unwrap_or(1)),
                None => Self::Number(text.parse().unwrap_or(1)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_surge_is_a_number_or_a_part_rounded_up() {
        let percent = Surge::from(&IntOrString::String("25%".to_owned()));
        assert_eq!((percent.of(4), percent.of(5), percent.of(1)), (1, 2, 1));
        assert_eq!(Surge::from(&IntOrString::Int(3)).of(1), 3);
        assert_eq!(Surge::from(&IntOrString::String("2".to_owned())).of(9), 2);
    }

    #[test]
    fn a_surge_is_never_nothing() {
        assert_eq!(Surge::Number(0).of(3), 1);
        assert_eq!(Surge::Percent(25).of(0), 1);
    }
}
