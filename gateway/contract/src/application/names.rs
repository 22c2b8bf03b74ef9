//! The subjects of one application.

use std::fmt::Display;

use crate::{GatewayNumber, Names, token};

/// What the subjects of one application are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationNames {
    prefix: String,
}

impl Names {
    /// The names of an application of this cluster.
    pub fn application(&self, application: &str) -> ApplicationNames {
        ApplicationNames {
            prefix: format!("{}.app.{}", self.prefix(), token(application)),
        }
    }
}

impl ApplicationNames {
    /// Signs of life of instances.
    pub fn instance_beats(&self) -> String {
        self.subject("beat.i")
    }

    /// Signs of life of gateways.
    pub fn gateway_beats(&self) -> String {
        self.subject("beat.g")
    }

    /// What gateways say to an instance.
    pub fn to(&self, instance: &str) -> String {
        self.subject(format_args!("to.{instance}"))
    }

    /// What instances say to a gateway.
    pub fn from(&self, gateway: GatewayNumber) -> String {
        self.subject(format_args!("from.{gateway}"))
    }

    /// What an instance says to all others.
    pub fn peers(&self) -> String {
        self.subject("peers")
    }

    /// What one instance says to another.
    pub fn peer(&self, instance: &str) -> String {
        self.subject(format_args!("peer.{instance}"))
    }

    fn subject(&self, rest: impl Display) -> String {
        format!("{}.{rest}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_applications_subjects_are_its_own() {
        let names = Names::new("default", "chat").application("shop");
        let prefix = "sluice.default.chat.app.shop";
        for (subject, rest) in [
            (names.instance_beats(), "beat.i"),
            (names.gateway_beats(), "beat.g"),
            (names.to("Zk3x"), "to.Zk3x"),
            (names.from(GatewayNumber(10)), "from.0000000a"),
            (names.peers(), "peers"),
            (names.peer("Zk3x"), "peer.Zk3x"),
        ] {
            assert_eq!(subject, format!("{prefix}.{rest}"));
        }
    }
}
