//! A receiver of OTLP over HTTP, and a webhook.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Any},
    trace::v1::Span,
};
use prost::Message as _;
use serde_json::{Value, json};
use sluice_test_nats::until;
use tokio::net::TcpListener;

#[derive(Default)]
struct Received {
    spans: Vec<Span>,
    resource: Vec<KeyValue>,
    /// The kind and the `traceparent` of what the webhook was asked.
    asked: Vec<(String, Option<String>)>,
}

type Shared = Arc<Mutex<Received>>;

pub(crate) struct Collector {
    port: u16,
    received: Shared,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let received = Shared::default();
        let router = Router::new()
            .route("/v1/traces", post(traces))
            .route("/hook", post(hook))
            .with_state(Arc::clone(&received));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { port, received }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn webhook(&self) -> Value {
        let url = format!("{}/hook", self.url());
        json!({"url": url, "secretRef": {"name": "keys", "key": "api"}})
    }

    /// The first span of this name, which may be on its way.
    pub(crate) async fn span(&self, name: &str) -> Span {
        let find = || {
            let received = self.received.lock().unwrap();
            received.spans.iter().find(|s| s.name == name).cloned()
        };
        until(&format!("the span {name}"), async || find().is_some()).await;
        find().unwrap()
    }

    /// The names of all spans that have come.
    pub(crate) fn names(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received
            .spans
            .iter()
            .map(|span| span.name.clone())
            .collect()
    }

    /// What all spans are of.
    pub(crate) fn resource(&self, key: &str) -> Option<String> {
        value(&self.received.lock().unwrap().resource, key)
    }

    /// What the webhook was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received
            .asked
            .iter()
            .map(|(kind, _)| kind.clone())
            .collect()
    }

    /// The trace that the webhook's first request of this kind belongs to.
    pub(crate) fn traceparent(&self, kind: &str) -> Option<String> {
        let received = self.received.lock().unwrap();
        let mut asked = received.asked.iter();
        asked.find(|(asked, _)| asked == kind)?.1.clone()
    }
}

/// The text of an attribute.
pub(crate) fn text(span: &Span, key: &str) -> String {
    let text = value(&span.attributes, key);
    text.unwrap_or_else(|| panic!("{} has no {key}: {:?}", span.name, span.attributes))
}

fn value(attributes: &[KeyValue], key: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text.clone()),
        other => Some(format!("{other:?}")),
    }
}

async fn traces(State(received): State<Shared>, headers: HeaderMap, body: Bytes) -> Vec<u8> {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut received = received.lock().unwrap();
    for of_one in request.resource_spans {
        received.resource = of_one.resource.unwrap_or_default().attributes;
        for scope in of_one.scope_spans {
            received.spans.extend(scope.spans);
        }
    }
    Vec::new()
}

async fn hook(State(received): State<Shared>, headers: HeaderMap, body: Bytes) -> &'static str {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let kind = body["type"].as_str().unwrap().to_owned();
    let traceparent = headers.get("traceparent");
    let traceparent = traceparent.map(|value| value.to_str().unwrap().to_owned());
    received.lock().unwrap().asked.push((kind, traceparent));
    "{}"
}
