//! A backend that answers as it was told to, and remembers what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lc_rs::hmac;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, value::RawValue};
use sluice_backend::{EventRequest, Webhook, webhook::Config};
use sluice_rooms::Pid;
use tokio::{net::TcpListener, runtime::Handle, sync::Notify};

pub const SECRET: &str = "a-secret-of-the-tests";

pub struct Asked {
    pub headers: HeaderMap,
    pub raw: Bytes,
    pub body: Value,
}

pub struct Scripted {
    pub status: u16,
    pub retry_after: Option<&'static str>,
    pub body: String,
}

#[derive(Default)]
pub struct Backend {
    pub asked: Mutex<Vec<Asked>>,
    answers: Mutex<VecDeque<Scripted>>,
    /// While there is one, nothing is answered until it is notified.
    pub gate: Mutex<Option<Arc<Notify>>>,
}

impl Backend {
    /// Answers the next request like this; without a script, 200 and nothing.
    pub fn answer(&self, status: u16, body: impl Into<String>) {
        self.script(Scripted {
            status,
            retry_after: None,
            body: body.into(),
        });
    }

    pub fn script(&self, answer: Scripted) {
        self.answers.lock().unwrap().push_back(answer);
    }

    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// The bodies of all requests so far.
    pub fn bodies(&self) -> Vec<Value> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .map(|asked| asked.body.clone())
            .collect()
    }

    pub fn header(&self, request: usize, name: &str) -> String {
        self.asked.lock().unwrap()[request].headers[name]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Whether a request has the signature that the documents describe.
    pub fn is_signed(&self, request: usize, secret: &str) -> bool {
        let header = self.header(request, "sluice-signature");
        let (time, v1) = header
            .strip_prefix("t=")
            .unwrap()
            .split_once(",v1=")
            .unwrap();
        let signed = [
            time.as_bytes(),
            b".",
            &self.asked.lock().unwrap()[request].raw,
        ]
        .concat();
        let byte = |at| u8::from_str_radix(&v1[at..at + 2], 16).unwrap();
        let tag: Vec<u8> = (0..v1.len()).step_by(2).map(byte).collect();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        hmac::verify(&key, &signed, &tag).is_ok()
    }

    /// Holds all answers back until the returned gate is notified.
    pub fn hold(&self) -> Arc<Notify> {
        Arc::clone(self.gate.lock().unwrap().insert(Arc::default()))
    }
}

async fn handle(State(backend): State<Arc<Backend>>, headers: HeaderMap, raw: Bytes) -> Response {
    let body = serde_json::from_slice(&raw).unwrap();
    backend
        .asked
        .lock()
        .unwrap()
        .push(Asked { headers, raw, body });
    let answer = backend.answers.lock().unwrap().pop_front();
    let gate = backend.gate.lock().unwrap().clone();
    if let Some(gate) = gate {
        gate.notified().await;
    }
    let Some(Scripted {
        status,
        retry_after,
        body,
    }) = answer
    else {
        return ().into_response();
    };
    let mut response = body.into_response();
    *response.status_mut() = status.try_into().unwrap();
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert("retry-after", seconds.parse().unwrap());
    }
    response
}

/// Starts a backend and says its URL.
pub async fn start() -> (Arc<Backend>, String) {
    let backend = Arc::new(Backend::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/sluice", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/sluice", post(handle))
        .with_state(Arc::clone(&backend));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (backend, url)
}

pub fn config(url: &str) -> Config {
    let mut config = Config::new(url, SECRET.as_bytes(), Duration::from_secs(30)).unwrap();
    config.disconnects_pause = Duration::from_millis(1);
    config
}

pub fn webhook(config: Config) -> (Webhook, prometheus::Registry) {
    let registry = prometheus::Registry::new();
    (
        Webhook::new(config, Handle::current(), &registry).unwrap(),
        registry,
    )
}

/// A backend and a webhook that asks it.
pub async fn both() -> (Arc<Backend>, Webhook) {
    let (backend, url) = start().await;
    (backend, webhook(config(&url)).0)
}

pub fn event() -> EventRequest {
    EventRequest {
        namespace: "/".into(),
        event: "order".into(),
        user: "ann".into(),
        session: Pid::random().session(),
        session_data: None,
        data: RawValue::from_string(r#"{"item":7}"#.into()).unwrap(),
        attachments: Vec::new(),
        ack_expected: true,
    }
}

pub fn metrics(registry: &prometheus::Registry) -> String {
    prometheus::TextEncoder::new()
        .encode_to_string(&registry.gather())
        .unwrap()
}

/// Waits until a condition holds.
pub async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}
