//! The applications of the documents.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use sluice_applications::{Application, Identity, Recovery, Sockets};
use sluice_nats::link::Options;
use sluice_policy::Policy;

/// How much longer than a heartbeat it may take until a lost connection is noticed.
const TO_SPARE: Duration = Duration::from_secs(5);

type ByName = BTreeMap<Arc<str>, Arc<Application>>;

/// How instances are reached.
pub(crate) struct Reach {
    pub(crate) identity: Identity,
    pub(crate) options: Options,
}

/// All applications that the gateway's documents name. Without NATS there are none.
#[derive(Default)]
pub(crate) struct Applications {
    by_name: ArcSwap<ByName>,
    reach: Option<(Reach, Arc<dyn Sockets>)>,
}

impl Applications {
    /// Those whose instances are reached so, and speak to these workers.
    pub(crate) fn reached(reach: Option<Reach>, sockets: Arc<dyn Sockets>) -> Self {
        Self {
            by_name: ArcSwap::default(),
            reach: reach.map(|reach| (reach, sockets)),
        }
    }

    /// These alone, whatever the policy names.
    #[cfg(test)]
    pub(crate) fn set(&self, applications: impl IntoIterator<Item = Arc<Application>>) {
        let named = applications.into_iter();
        let by_name = named.map(|application| (Arc::clone(application.name()), application));
        self.by_name.store(Arc::new(by_name.collect()));
    }

    /// The application of that name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Application>> {
        self.by_name.load().get(name).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Application>> {
        self.by_name.load().values().cloned().collect()
    }

    /// Speaks with the instances of those that the policy names, and of no others.
    ///
    /// # Errors
    /// Where one cannot be begun. The others are.
    pub(crate) fn follow(&self, policy: &Policy) -> io::Result<()> {
        let Some((reach, sockets)) = &self.reach else {
            return Ok(());
        };
        let (mut now, mut failed) = (ByName::new(), Ok(()));
        for name in policy.applications() {
            let known = self.get(name).map_or_else(
                || {
                    let (identity, options) = (reach.identity.clone(), reach.options.clone());
                    Application::start(name, identity, options, Arc::clone(sockets))
                },
                Ok,
            );
            match known {
                Ok(application) => {
                    application.recover_with(recovery_of(policy, name));
                    now.insert(Arc::clone(name), application);
                }
                Err(error) => failed = Err(error),
            }
        }
        self.by_name.store(Arc::new(now));
        failed
    }

    /// Tells instances that the gateway ends.
    pub(crate) async fn end(&self) {
        for application in self.all() {
            application.end().await;
        }
    }
}

fn recovery_of(policy: &Policy, application: &str) -> Option<Recovery> {
    let recovery = policy.application_recovery(application)?;
    let heartbeat = &policy.heartbeat;
    Some(Recovery {
        window: recovery.window,
        unnoticed: heartbeat.interval + heartbeat.timeout + TO_SPARE,
        bytes: recovery.bytes,
    })
}
