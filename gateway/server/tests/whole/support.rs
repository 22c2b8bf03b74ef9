//! What the tests start from.

pub(crate) mod fleet;

use std::{future::Future, path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use sluice_gateway::Embedded;

const SIGNING_KEY: &str = "a-key-for-tests-only-of-enough-length";
pub(crate) const API_KEY: &str = "an-api-key-for-tests-only";

/// A cluster with two workers and limits that no test meets by accident; `spec` replaces whole
/// fields of its spec.
pub(crate) fn cluster(spec: Value) -> Value {
    let mut cluster = json!({
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "RealtimeCluster",
        "metadata": {"name": "test"},
        "spec": {
            "gateway": {"workers": 2},
            "auth": {"required": true, "jwt": {"keySecretRef": {"name": "keys", "key": "jwt"}}},
            "serverApi": {"keySecretRef": {"name": "keys", "key": "api"}},
            "limits": {
                "connectionsPerIP": 10_000,
                "connectionsPerUser": 1_000,
                "messagesPerSecond": 100_000,
                "inFlight": 10_000,
            },
            "drain": {"settle": "100ms", "window": "1s", "deadline": "5s"},
            "recovery": {"window": "2m"},
            "rooms": {"default": "Open"},
            "backbone": {"memory": {}},
        },
    });
    let fields = cluster["spec"].as_object_mut().unwrap();
    if let Value::Object(more) = spec {
        fields.extend(more);
    }
    cluster
}

/// A Room for the rooms that `pattern` names.
pub(crate) fn room(name: &str, pattern: &str, spec: Value) -> Value {
    let mut room = json!({
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "Room",
        "metadata": {"name": name},
        "spec": {"clusterRef": {"name": "test"}, "match": pattern},
    });
    let fields = room["spec"].as_object_mut().unwrap();
    if let Value::Object(more) = spec {
        fields.extend(more);
    }
    room
}

/// Rooms with a history and announced presence.
pub(crate) fn kept() -> Value {
    let spec = json!({
        "history": {"maxMessages": 10_000, "maxAge": "1h"},
        "presence": {"enabled": true, "announce": true},
        "limits": {"members": 10_000, "messagesPerSecond": 100_000},
    });
    room("kept", "kept-*", spec)
}

fn secret() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "keys"},
        "stringData": {"jwt": SIGNING_KEY, "api": API_KEY},
    })
}

/// A token of `user` that is good for so many seconds.
pub(crate) fn token(user: &str, seconds: i64) -> String {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let expires = now.checked_add_signed(seconds).unwrap();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = part(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = part(json!({"sub": user, "iat": now, "exp": expires}));
    let signed = format!("{head}.{claims}");
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_KEY.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// Runs `test` against a gateway of these documents.
pub(crate) fn with<F: Future>(documents: &[Value], test: impl FnOnce(Gateway) -> F) {
    let gateway = Gateway::start(Config::new(documents), "gateway");
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let limit = Duration::from_mins(1);
    runtime
        .block_on(async { tokio::time::timeout(limit, test(gateway)).await })
        .expect("the test took longer than a minute");
}

/// A file of documents that goes with its test.
pub(crate) struct Config(PathBuf);

impl Config {
    /// A file with these documents and the Secret with the tests' keys.
    pub(crate) fn new(documents: &[Value]) -> Self {
        let config = Self::somewhere();
        config.write(documents);
        config
    }

    /// A file with these documents alone.
    pub(crate) fn without_secrets(documents: &[Value]) -> Self {
        let config = Self::somewhere();
        config.write_all(documents.iter());
        config
    }

    /// Where it is.
    pub(crate) fn path(&self) -> String {
        self.0.display().to_string()
    }

    fn somewhere() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("sluice-whole-{}-{number}.yaml", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn write(&self, documents: &[Value]) {
        let secret = secret();
        self.write_all(documents.iter().chain([&secret]));
    }

    fn write_all<'a>(&self, documents: impl Iterator<Item = &'a Value>) {
        let text = documents.map(Value::to_string);
        let text = text.collect::<Vec<_>>().join("\n---\n");
        std::fs::write(&self.0, text).unwrap();
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) embedded: Embedded,
    config: Config,
}

impl Gateway {
    /// Starts one. Not from within a runtime.
    pub(crate) fn start(config: Config, name: &str) -> Self {
        let embedded = Embedded::named(&config.0, name).unwrap();
        Self { embedded, config }
    }

    /// Exchanges the documents that it runs by.
    pub(crate) fn reload(&self, documents: &[Value]) {
        self.config.write(documents);
    }

    /// Asks the server API.
    pub(crate) async fn api(&self, method: reqwest::Method, path: &str, body: &Value) -> Value {
        let url = format!("http://{}{path}", self.embedded.api());
        let request = reqwest::Client::new().request(method, url);
        let request = request.bearer_auth(API_KEY).body(body.to_string());
        let request = request.header("content-type", "application/json");
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}

/// Waits until `done` says so.
pub(crate) async fn until<F: Future<Output = bool>>(mut done: impl FnMut() -> F) {
    while !done().await {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
