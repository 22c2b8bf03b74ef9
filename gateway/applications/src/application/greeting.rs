//! How the stream to an instance begins.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use sluice_contract::{
    GatewayNumber,
    application::{Entry, Hello, Limits, PROTOCOL, Read, Reason, Welcome},
};
use sluice_util::lock;

use super::Application;
use crate::{Arrival, Instance};

impl Application {
    pub(super) fn greet(&self, instance: &Arc<Instance>, entry: &Read) -> bool {
        let Some(hello) = entry.json::<Hello>(0) else {
            return false;
        };
        let speaks = hello.protocols.contains(&PROTOCOL);
        let welcome = if speaks {
            Welcome::Open {
                protocol: PROTOCOL,
                gateway: GatewayNumber(self.identity.gateway),
                limits: Limits {
                    payload_bytes: self.identity.payload_bytes,
                },
            }
        } else {
            Welcome::Refused {
                refused: Reason {
                    code: "protocol_unsupported",
                    message: format!(
                        "This gateway speaks version {PROTOCOL} of the application protocol; use a version of the SDK that speaks it, or upgrade the gateways."
                    )
                    .into(),
                },
            }
        };
        let json = serde_json::to_vec(&welcome).unwrap_or_default();
        // Nothing waits yet.
        let _ = instance.say(0, &Entry::new("welcome").body(&json));
        if speaks {
            tracing::info!(application = %self.name, instance = instance.id(), name = %hello.name,
                sdk = %hello.sdk, "an instance of an application is there");
            instance.ends().greeted = true;
            if lock(&self.state).roster.takes(instance.id()) {
                self.present();
            }
        } else {
            tracing::warn!(application = %self.name, instance = instance.id(), name = %hello.name,
                protocols = ?hello.protocols, code = "protocol_unsupported",
                "an instance speaks no version of the application protocol that this gateway speaks");
        }
        true
    }

    pub(super) fn present(&self) {
        let instances = lock(&self.state).roster.len() as u64;
        self.counters.instances.store(instances, Relaxed);
        self.deliver_to_all(&Arrival::Present(Arc::clone(&self.name)));
    }
}
