//! One API server.

use std::{fs, path::Path, time::Duration};

use kube::{
    Client, Config,
    client::Body,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::json;
use sluice_test_nats::{Folder, free_port};
use tokio::time::sleep;

use crate::{certificate, count, program::Program, until};

/// The token of whoever may do everything.
const TOKEN: &str = "everything";

/// What an API server is started with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether controllers run too: Deployments make pods, quotas are counted, and what belongs to
    /// something that is gone is deleted.
    pub controllers: bool,
}

/// A running API server with its store. It ends when it is dropped, or with the test's process.
#[derive(Debug)]
pub struct ApiServer {
    controllers: Option<Program>,
    server: Program,
    _etcd: Program,
    folder: Folder,
    port: u16,
}

impl ApiServer {
    /// Starts an API server and waits until it answers.
    pub async fn start(options: Options) -> Self {
        let folder = Folder::new();
        certificate::write(folder.path());
        let (client, peer, port) = (free_port(), free_port(), free_port());
        let etcd = Program::start("etcd", &etcd(folder.path(), client, peer), folder.path());
        let server = Program::start(
            "kube-apiserver",
            &server(folder.path(), client, port),
            folder.path(),
        );
        let mut started = Self {
            controllers: None,
            server,
            _etcd: etcd,
            folder,
            port,
        };
        fs::write(started.kubeconfig(), started.config_text()).expect("a file can be written");
        started.answers().await;
        if options.controllers {
            started.controllers = Some(started.start_controllers());
        }
        started
    }

    async fn answers(&self) {
        let client = self.client().await;
        until("the API server answers", async || {
            assert!(
                self.server.is_running(),
                "kube-apiserver ended:\n{}",
                self.server.log()
            );
            let ready = client.request_text(get("/readyz")).await;
            let namespace = client.request_text(get("/api/v1/namespaces/default")).await;
            ready.is_ok() && namespace.is_ok()
        })
        .await;
    }

    fn start_controllers(&self) -> Program {
        let kubeconfig = self.kubeconfig();
        let arguments = [
            format!("--kubeconfig={}", kubeconfig.display()),
            format!(
                "--service-account-private-key-file={}",
                self.file("accounts.key")
            ),
            "--use-service-account-credentials=false".to_owned(),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            "--concurrent-deployment-syncs=2".to_owned(),
        ];
        Program::start("kube-controller-manager", &arguments, self.folder.path())
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The file by which `kubectl` and others find the server, with every right.
    pub fn kubeconfig(&self) -> std::path::PathBuf {
        self.folder.path().join("kubeconfig")
    }

    fn config_text(&self) -> String {
        self.config_as(TOKEN).to_string()
    }

    fn config_as(&self, token: &str) -> serde_json::Value {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": format!("https://127.0.0.1:{}", self.port),
                "certificate-authority": self.file("server.crt"),
            }}],
            "users": [{"name": "test", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        })
    }

    /// A client with every right.
    pub async fn client(&self) -> Client {
        self.client_as(TOKEN).await
    }

    /// A client that says who it is by a token, such as one of a `ServiceAccount`.
    pub async fn client_as(&self, token: &str) -> Client {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let config: Kubeconfig =
            serde_json::from_value(self.config_as(token)).expect("it is a configuration");
        let config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await;
        Client::try_from(config.expect("it is a configuration")).expect("a client can be made")
    }

    /// A client with every right whose writes take so long to reach the server, and reach it also
    /// when nobody waits for their answers any more.
    pub async fn slow_client(&self, delay: Duration) -> Client {
        let near = self.client().await;
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let near = near.clone();
            let sent = tokio::spawn(async move {
                if request.method() != http::Method::GET {
                    sleep(delay).await;
                }
                near.send(request).await
            });
            async move { sent.await.expect("no request panics") }
        });
        Client::new(service, "default")
    }

    /// How many requests that write were served until now, to objects of these kinds (in the
    /// plural, as in paths): as the server itself counts them.
    pub async fn writes(&self, kinds: &[&str]) -> u64 {
        let metrics = self.client().await.request_text(get("/metrics")).await;
        count::writes(&metrics.expect("the server tells its metrics"), kinds)
    }

    /// What the server said last, for when something is not understood.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

fn get(path: &str) -> http::Request<Vec<u8>> {
    let request = http::Request::get(path).body(Vec::new());
    request.expect("it is a request")
}

fn etcd(folder: &Path, client: u16, peer: u16) -> Vec<String> {
    let (client, peer) = (
        format!("http://127.0.0.1:{client}"),
        format!("http://127.0.0.1:{peer}"),
    );
    vec![
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        // What is lost with the machine is a test.
        "--unsafe-no-fsync".to_owned(),
        "--log-level=warn".to_owned(),
    ]
}

fn server(folder: &Path, etcd: u16, port: u16) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    fs::write(
        file("tokens.csv"),
        format!("{TOKEN},admin,admin,system:masters\n"),
    )
    .expect("a file can be written");
    vec![
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", file("server.crt")),
        format!("--tls-private-key-file={}", file("server.key")),
        format!("--cert-dir={}", folder.display()),
        format!("--token-auth-file={}", file("tokens.csv")),
        "--authorization-mode=RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", file("accounts.pub")),
        format!(
            "--service-account-signing-key-file={}",
            file("accounts.key")
        ),
        "--service-cluster-ip-range=10.96.0.0/16".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        "--allow-privileged=false".to_owned(),
    ]
}
