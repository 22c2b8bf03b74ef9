//! A gateway's process.

use std::{path::PathBuf, process::Stdio, sync::atomic::AtomicU32, time::Duration};

use serde_json::{Value, json};
use sluice_test_nats::until;
use tokio::process::{Child, Command};

pub(crate) const KEY: &str = "an-api-key-for-tests-only";

pub(crate) struct Gateway {
    folder: PathBuf,
    process: tokio::sync::Mutex<Child>,
}

impl Gateway {
    /// Starts a gateway that lets everybody in; `spec` replaces whole fields of its cluster's.
    pub(crate) async fn start(spec: Value) -> Self {
        let folder = somewhere();
        std::fs::write(folder.join("documents.yaml"), documents(spec)).unwrap();
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluice-gateway"));
        command
            .arg("--config")
            .arg(folder.join("documents.yaml"))
            .args(["--name", "under-test", "--log-format", "json"]);
        for listener in ["--listen", "--api-listen", "--ops-listen"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        command.stderr(log).stdout(Stdio::null()).kill_on_drop(true);
        let process = tokio::sync::Mutex::new(command.spawn().unwrap());
        let gateway = Self { folder, process };
        until("the gateway is ready", async || {
            gateway.address("health and metrics").is_some()
        })
        .await;
        gateway
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap()
    }

    /// How many lines of the log have this in them.
    pub(crate) fn logged(&self, part: &str) -> usize {
        self.log()
            .lines()
            .filter(|line| line.contains(part))
            .count()
    }

    /// Where it listens, as its log says it.
    fn address(&self, what: &str) -> Option<String> {
        let log = self.log();
        let line = log.lines().find(|line| line.contains(what))?;
        let line: Value = serde_json::from_str(line).ok()?;
        line["address"].as_str().map(str::to_owned)
    }

    pub(crate) fn clients(&self) -> String {
        self.address("clients can connect").unwrap()
    }

    /// Publishes by the server API, as part of a trace; the status comes back.
    pub(crate) async fn publish(&self, key: &str, traceparent: &str) -> u16 {
        let api = self.address("the server API can be reached").unwrap();
        let url = format!("http://{api}/v1/rooms/lobby/messages");
        let request = reqwest::Client::new().post(url).bearer_auth(key);
        let request = request.header("traceparent", traceparent);
        let body = json!({"event": "hi", "data": 1});
        request.json(&body).send().await.unwrap().status().as_u16()
    }

    /// Reads by the server API, as part of a trace or not.
    pub(crate) async fn read(&self, traceparent: Option<&str>) {
        let api = self.address("the server API can be reached").unwrap();
        let request = reqwest::Client::new().get(format!("http://{api}/v1/sessions"));
        let mut request = request.bearer_auth(KEY);
        if let Some(traceparent) = traceparent {
            request = request.header("traceparent", traceparent);
        }
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    /// Waits until a metric is at least at `value`.
    pub(crate) async fn figure(&self, name: &str, value: u64) {
        let ops = self.address("health and metrics").unwrap();
        let url = format!("http://{ops}/metrics");
        until(&format!("{name} is {value}"), async || {
            let text = reqwest::get(&url).await.unwrap().text().await.unwrap();
            let mut lines = text.lines();
            let line = lines.find_map(|line| line.strip_prefix(name));
            line.is_some_and(|rest| rest.trim().parse::<u64>().unwrap() >= value)
        })
        .await;
    }

    /// SIGTERM; returns when it has drained and ended, which must be well.
    pub(crate) async fn terminate(&self) {
        let mut process = self.process.lock().await;
        let pid = process.id().unwrap().to_string();
        let kill = Command::new("kill").args(["-s", "TERM", &pid]).status();
        assert!(kill.await.unwrap().success());
        let ended = tokio::time::timeout(Duration::from_secs(30), process.wait());
        assert!(ended.await.expect("it ends").unwrap().success());
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn somewhere() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("sluice-spans-{}-{number}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn documents(spec: Value) -> String {
    let mut cluster = json!({
        "apiVersion": "sluice.dev/v1alpha1",
        "kind": "RealtimeCluster",
        "metadata": {"name": "test"},
        "spec": {
            "gateway": {"workers": 1},
            "auth": {"required": false},
            "serverApi": {"keySecretRef": {"name": "keys", "key": "api"}},
            "drain": {"settle": "100ms", "window": "1s", "deadline": "5s"},
            "rooms": {"default": "Open"},
            "backbone": {"memory": {}},
        },
    });
    if let Value::Object(more) = spec {
        cluster["spec"].as_object_mut().unwrap().extend(more);
    }
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "keys"},
        "stringData": {"api": KEY},
    });
    format!("{cluster}\n---\n{secret}\n")
}
