//! Events: what people see in `kubectl describe` of a resource.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{
    Client,
    runtime::events::{Event, EventType, Recorder, Reporter},
};

use crate::{Kind, Object, metrics::Metrics, plan::MANAGER};

/// The longest note of an event, in bytes: an API server takes a kilobyte.
const LONGEST_NOTE: usize = 1000;

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

/// Writes events, and counts them.
pub(crate) struct Events {
    recorder: Recorder,
    metrics: Metrics,
}

impl Events {
    /// Events that say which instance of the operator they are from.
    pub(crate) fn new(client: Client, instance: &str, metrics: Metrics) -> Self {
        let reporter = Reporter {
            controller: MANAGER.to_owned(),
            instance: Some(instance.to_owned()),
        };
        Self {
            recorder: Recorder::new(client, reporter),
            metrics,
        }
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
            note: Some(news.message[..news.message.floor_char_boundary(LONGEST_NOTE)].to_owned()),
            action: "Reconcile".to_owned(),
            secondary: None,
        };
        self.metrics.wrote(kind, "event");
        if let Err(error) = self.recorder.publish(&event, &reference).await {
            tracing::warn!(%error, reason = %news.reason, "an event cannot be written");
        }
    }
}
