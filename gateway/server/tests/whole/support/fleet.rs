//! Gateways on one NATS.

use std::{future::Future, process::Output, time::Duration};

use async_nats::Client;
use serde_json::{Value, json};
use sluice_bucket::{Connection, Login};
use sluice_contract::{Names, Rights, Role};
use sluice_nats::link::Logins;
use sluice_test_nats::{Server, Settings};

use super::{Config, Gateway, cluster, until};

/// A NATS server, and what tests do with it.
pub(crate) struct Fleet {
    pub(crate) server: Server,
    pub(crate) client: Client,
    pub(crate) connection: Connection,
}

/// What the subjects of the tests' cluster begin with.
pub(crate) const PREFIX: &str = "sluice.default.test";

/// What a gateway logs in with.
const GATEWAY: &str = "gateway";

/// Servers let gateways do what they need and no more, and tests do anything.
fn logins() -> String {
    let names = Names::new("default", "test");
    let rights = Rights::of(Role::Gateway, &names);
    format!(
        "authorization {{ users: [
           {{user: tests, password: tests}}
           {{user: {GATEWAY}, password: {GATEWAY}, permissions: {rights}}}
         ] }}
         no_auth_user: tests"
    )
}

/// Runs `test` with a NATS server that has JetStream.
pub(crate) fn with_fleet<F: Future>(test: impl FnOnce(Fleet) -> F) {
    with_fleet_on(Settings::default().jetstream(), test);
}

/// Runs `test` with a NATS server of these settings.
pub(crate) fn with_fleet_on<F: Future>(settings: Settings, test: impl FnOnce(Fleet) -> F) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let limit = Duration::from_mins(2);
    runtime
        .block_on(async {
            let fleet = Fleet::start(settings).await;
            tokio::time::timeout(limit, test(fleet)).await
        })
        .expect("the test took longer than two minutes");
}

impl Fleet {
    async fn start(settings: Settings) -> Self {
        let server = Server::start(settings.config(&logins())).await;
        let client = async_nats::connect(server.url()).await.unwrap();
        let login = Login {
            urls: server.url(),
            logins: Logins::default(),
            certificates: None,
            name: "test".to_owned(),
            role: Role::Gateway,
        };
        let names = Names::new("default", "test");
        let connection = Connection::open(&login, names).await.unwrap();
        connection.connected().await;
        Self {
            server,
            client,
            connection,
        }
    }

    /// The cluster of [`cluster`] on this NATS.
    pub(crate) fn cluster(&self, spec: Value) -> Value {
        let mut spec = spec;
        let login = format!("//{GATEWAY}:{GATEWAY}@");
        let url = self.server.url().replace("//", &login);
        spec["backbone"] = json!({"nats": {"external": {"url": url}}});
        cluster(spec)
    }

    /// Starts a gateway, which is called `name`, by files with these documents.
    pub(crate) async fn gateway(&self, name: &str, documents: &[Value]) -> Gateway {
        let (config, name) = (Config::new(documents), name.to_owned());
        let started = tokio::task::spawn_blocking(move || Gateway::start(config, &name));
        started.await.unwrap()
    }

    /// Puts documents into the bucket, and returns their revision.
    pub(crate) async fn push(&self, documents: &[Value]) -> u64 {
        let text = documents.iter().map(Value::to_string).collect::<Vec<_>>();
        self.connection.push(text.join("\n---\n")).await.unwrap()
    }

    /// Calls an operation by subject.
    pub(crate) async fn call(&self, operation: &str, request: &str) -> Value {
        let subject = format!("{PREFIX}.api.{operation}");
        let request = request.to_owned().into();
        let answer = self.client.request(subject, request).await.unwrap();
        serde_json::from_slice(&answer.payload).unwrap()
    }
}

/// All that gateways did in a test was allowed.
impl Drop for Fleet {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let log = self.server.log();
            let refused = log.lines().find(|line| line.contains("Violation"));
            assert_eq!(refused, None, "a gateway lacks a right");
        }
    }
}

/// Runs the gateway's command line.
pub(crate) async fn command(arguments: &[&str]) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_sluice-gateway"));
    command.args(arguments).output().await.unwrap()
}

/// What the gateway's status says of its policy.
pub(crate) async fn policy(gateway: &Gateway) -> Value {
    let number = gateway.embedded.number();
    let fleet = gateway
        .api(reqwest::Method::GET, "/v1/fleet", &Value::Null)
        .await;
    let gateways = fleet["gateways"].as_array().unwrap();
    let own = gateways.iter().find(|it| it["number"] == number);
    own.unwrap()["policy"].clone()
}

impl Fleet {
    /// Waits until these gateways, and no others, know each other and answer by subject.
    pub(crate) async fn ready(&self, gateways: &[&Gateway]) {
        for gateway in gateways {
            until(async || {
                let known = gateway
                    .api(reqwest::Method::GET, "/v1/fleet", &Value::Null)
                    .await;
                known["gateways"].as_array().unwrap().len() == gateways.len()
            })
            .await;
        }
        until(async || {
            let found = self.client.request("$SRV.PING.sluice-api", "".into()).await;
            found.is_ok()
        })
        .await;
    }
}
