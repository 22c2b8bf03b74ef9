//! A gateway as a process, and clients of it.

use std::{
    fs,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use sluice_test_nats::{Folder, free_port};
use sluice_test_programs::gateway;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

const GENEROUS: Duration = Duration::from_mins(1);

const CLUSTER: &str = "
apiVersion: sluice.dev/v1alpha1
kind: RealtimeCluster
metadata: {name: test}
spec:
  auth: {required: false}
  gateway: {workers: 2}
  drain: {settle: 100ms, window: 1s, deadline: 30s}
";

/// A gateway that ends with its test.
pub(crate) struct Gateway {
    process: Child,
    folder: Folder,
    clients: u16,
    pub(crate) api: u16,
    pub(crate) ops: u16,
}

impl Gateway {
    /// Starts one that takes `key` from the operator.
    pub(crate) async fn start(key: &str) -> Self {
        let folder = Folder::new();
        fs::write(folder.path().join("cluster.yaml"), CLUSTER).unwrap();
        fs::write(folder.path().join("key"), key).unwrap();
        let (clients, api, ops) = (free_port(), free_port(), free_port());
        let at = |port: u16| format!("127.0.0.1:{port}");
        let process = Command::new(gateway())
            .args(["--name", "gateway-under-test", "--log", "warn"])
            .arg("--config")
            .arg(folder.path().join("cluster.yaml"))
            .arg("--operator-key")
            .arg(folder.path().join("key"))
            .args([
                "--listen",
                &at(clients),
                "--api-listen",
                &at(api),
                "--ops-listen",
                &at(ops),
            ])
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let gateway = Self {
            process,
            folder,
            clients,
            api,
            ops,
        };
        until(async || gateway.readiness().await == 200).await;
        gateway
    }

    /// Clients that are connected.
    pub(crate) async fn connect(&self, count: usize) -> Vec<Client> {
        let mut clients = Vec::new();
        for _ in 0..count {
            clients.push(Client::connect(self.clients).await);
        }
        clients
    }

    /// What it has written to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Replaces the key at once, as a mounted Secret is replaced: a file without one would be taken too.
    pub(crate) fn set_key(&self, key: &str) {
        let folder = self.folder.path();
        fs::write(folder.join("key.new"), key).unwrap();
        fs::rename(folder.join("key.new"), folder.join("key")).unwrap();
    }

    /// Asks it to end, as Kubernetes does.
    pub(crate) fn terminate(&self) {
        let id = self.process.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").arg(id).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        timeout(GENEROUS, self.process.wait())
            .await
            .unwrap()
            .unwrap()
    }

    /// The status of `/readyz`; 0 where there is no answer.
    pub(crate) async fn readiness(&self) -> u16 {
        let url = format!("http://127.0.0.1:{}/readyz", self.ops);
        let answer = reqwest::get(url).await;
        answer.map_or(0, |answer| answer.status().as_u16())
    }

    /// The status of an answer of the server API.
    pub(crate) async fn get(&self, path: &str, key: &str) -> u16 {
        let url = format!("http://127.0.0.1:{}{path}", self.api);
        let request = reqwest::Client::new().get(url).bearer_auth(key);
        request.send().await.unwrap().status().as_u16()
    }
}

/// A connected client of the plain protocol.
pub(crate) struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn connect(port: u16) -> Self {
        let url = format!("ws://127.0.0.1:{port}/ws");
        let (mut socket, _) = connect_async(url).await.unwrap();
        let hello = json!({"id": 1, "op": "connect"}).to_string();
        socket.send(Message::text(hello)).await.unwrap();
        let answer = timeout(GENEROUS, socket.next()).await.unwrap();
        let answer = answer.unwrap().unwrap().into_text().unwrap();
        assert!(answer.contains("\"ok\":true"), "{answer}");
        Self(socket)
    }

    /// The code with which the gateway closes the connection.
    pub(crate) async fn closed(mut self) -> u16 {
        let closed = async {
            loop {
                if let Message::Close(Some(close)) = self.0.next().await.unwrap().unwrap() {
                    return close.code.into();
                }
            }
        };
        timeout(GENEROUS, closed).await.unwrap()
    }
}

/// Waits until `done` says so.
pub(crate) async fn until(done: impl AsyncFn() -> bool) {
    let waits = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(GENEROUS, waits)
        .await
        .expect("it did not come about within a minute");
}
