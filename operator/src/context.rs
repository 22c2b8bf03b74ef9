//! What every reconciliation has at hand.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client,
    runtime::events::{Event, EventType, Recorder, Reporter},
};

use crate::{
    Kind, Object,
    apply::Writer,
    backbone::Backbones,
    check::Checked,
    cluster::LastCount,
    fleet::Remembered,
    gateways::{Gateways, Vigils},
    lock::lock,
    metrics::Metrics,
    plan::{Apis, Images, MANAGER},
    room::Decided,
    secrets::Vault,
    stores::{Queues, Stores},
};

/// The shortest and the longest pause after something was in the way.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(5));

/// What does not change while the operator runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The images of this release.
    pub images: Images,
    /// The Kubernetes namespace that the operator runs in.
    pub operator_namespace: String,
    /// What this process is called in events.
    pub instance: String,
}

/// What was found when a cluster was checked last, and of what.
pub(crate) type LastCheck = (String, Arc<Checked>);

/// What every reconciliation has at hand.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) apis: Apis,
    pub(crate) stores: Stores,
    pub(crate) queues: Queues,
    pub(crate) writer: Writer,
    pub(crate) vault: Vault,
    pub(crate) backbones: Backbones,
    pub(crate) metrics: Metrics,
    pub(crate) checks: Mutex<HashMap<String, LastCheck>>,
    /// What was decided about the Rooms of each cluster, by its identity.
    pub(crate) decided: Mutex<HashMap<String, Arc<Decided>>>,
    /// What the last decision about each fleet's moves told the next.
    pub(crate) remembered: Mutex<HashMap<String, Remembered>>,
    /// What the gateways of each cluster have counted.
    pub(crate) counts: Mutex<HashMap<String, LastCount>>,
    pub(crate) gateways: Mutex<HashMap<String, (String, Gateways)>>,
    pub(crate) vigils: Vigils,
    recorder: Recorder,
    failures: Mutex<HashMap<String, u32>>,
    stalled: Mutex<HashMap<String, Kind>>,
}

impl Context {
    /// A context that has reconciled nothing.
    pub(crate) fn new(
        client: &Client,
        settings: Settings,
        apis: Apis,
        stores: Stores,
        queues: Queues,
        metrics: Metrics,
    ) -> Self {
        let reporter = Reporter {
            controller: MANAGER.to_owned(),
            instance: Some(settings.instance.clone()),
        };
        let backbones = Backbones::default();
        Self {
            settings,
            apis,
            stores,
            queues,
            writer: Writer::new(client.clone(), metrics.clone()),
            vault: Vault::default(),
            vigils: Vigils::new(backbones.clone()),
            backbones,
            metrics,
            checks: Mutex::default(),
            decided: Mutex::default(),
            remembered: Mutex::default(),
            counts: Mutex::default(),
            gateways: Mutex::default(),
            recorder: Recorder::new(client.clone(), reporter),
            failures: Mutex::default(),
            stalled: Mutex::default(),
        }
    }

    /// How long to wait after something was in the way: twice as long each time, and by chance a
    /// little more or less, so that what failed together does not come back together.
    pub(crate) fn pause(&self, uid: &str) -> Duration {
        let mut failures = lock(&self.failures);
        let times = failures.entry(uid.to_owned()).or_default();
        let pause = PAUSES.0.saturating_mul(1 << (*times).min(16)).min(PAUSES.1);
        *times += 1;
        pause.mul_f64(rand::random_range(0.75..1.25))
    }

    /// Nothing is in the way any more.
    pub(crate) fn went_well(&self, uid: &str) {
        lock(&self.failures).remove(uid);
    }

    /// Whether a resource waits for a person.
    pub(crate) fn stalls(&self, kind: Kind, uid: &str, stalls: bool) {
        let mut stalled = lock(&self.stalled);
        if stalls {
            stalled.insert(uid.to_owned(), kind);
        } else {
            stalled.remove(uid);
        }
        drop(stalled);
        self.count_stalled(kind);
    }

    fn count_stalled(&self, kind: Kind) {
        let stalled = lock(&self.stalled);
        let count = stalled.values().filter(|it| **it == kind).count();
        self.metrics.stalled(kind, count);
    }

    /// Tells people of something about a resource. That it cannot be told stops nothing.
    pub(crate) async fn tell(&self, kind: Kind, object: &Object, news: &News) {
        let reference = ObjectReference {
            api_version: Some(kind.api_version().into_owned()),
            kind: Some(kind.name().to_owned()),
            name: Some(object.name().to_owned()),
            namespace: Some(object.namespace().to_owned()),
            uid: Some(object.uid().to_owned()),
            ..ObjectReference::default()
        };
        let event = Event {
            type_: if news.bad {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: news.reason.clone(),
            note: Some(shortened(&news.message)),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        self.metrics.wrote(kind, "event");
        if let Err(error) = self.recorder.publish(&event, &reference).await {
            tracing::warn!(%error, reason = %news.reason, "an event cannot be written");
        }
    }

    /// Forgets all that is known of resources that are gone.
    pub(crate) fn sweep(&self) {
        let kinds = [Kind::RealtimeCluster, Kind::Room];
        let there = kinds
            .into_iter()
            .flat_map(|kind| self.stores.filter(kind, |_| true));
        let there: HashSet<String> = there.map(|object| object.uid().to_owned()).collect();
        let is_there = |uid: &str| there.contains(uid);
        keep(&self.failures, is_there);
        keep(&self.checks, is_there);
        keep(&self.decided, is_there);
        keep(&self.remembered, is_there);
        keep(&self.counts, is_there);
        keep(&self.gateways, is_there);
        keep(&self.stalled, is_there);
        self.vault.keep(is_there);
        self.backbones.keep(is_there);
        self.vigils.keep(is_there);
        for kind in kinds {
            self.count_stalled(kind);
        }
    }
}

fn keep<T>(map: &Mutex<HashMap<String, T>>, is_there: impl Fn(&str) -> bool) {
    lock(map).retain(|uid, _| is_there(uid));
}

/// Something that people are told in an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct News {
    /// Whether it is a warning.
    pub(crate) bad: bool,
    /// The reason, in camel case.
    pub(crate) reason: String,
    /// A sentence.
    pub(crate) message: String,
}

/// An event's note has a kilobyte at most.
fn shortened(text: &str) -> String {
    const MOST: usize = 1000;
    let end = (0..=MOST.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text[..end.unwrap_or_default()].to_owned()
}
