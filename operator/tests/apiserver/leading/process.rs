//! The operator as a process.

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use sluice_test_apiserver::until;
use sluice_test_nats::free_port;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use crate::support::{World, server};

/// Who holds a Lease; nobody where there is none.
pub(crate) async fn leader(world: &World, lease: &str) -> Option<String> {
    let leases: Api<Lease> = Api::namespaced(world.client.clone(), &world.namespace);
    let lease = leases.get_opt(lease).await.unwrap()?;
    lease.spec?.holder_identity
}

/// Waits until a Lease was renewed as many times more.
pub(crate) async fn renewed(world: &World, lease: &str, times: usize) {
    let leases: Api<Lease> = Api::namespaced(world.client.clone(), &world.namespace);
    let renewal = async || leases.get(lease).await.unwrap().spec.unwrap().renew_time;
    for _ in 0..times {
        let last = renewal().await;
        until("the Lease is renewed", async || renewal().await != last).await;
    }
}

/// A process that works in the namespace of a test, and ends with it.
pub(crate) struct Process {
    name: String,
    process: Child,
}

impl Process {
    /// Starts one and waits until it listens, after which it hears signals.
    pub(crate) async fn start(world: &World, name: &str) -> Self {
        let listen = format!("127.0.0.1:{}", free_port());
        let process = Command::new(env!("CARGO_BIN_EXE_sluice-operator"))
            .env("KUBECONFIG", server().await.kubeconfig())
            .args(["--name", name, "--metrics-listen", &listen])
            .args([
                "--namespace",
                &world.namespace,
                "--watch-namespace",
                &world.namespace,
            ])
            .args(["--log", "warn"])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let url = format!("http://{listen}/livez");
        until("the operator listens", async || {
            reqwest::get(&url).await.is_ok()
        })
        .await;
        Self {
            name: name.to_owned(),
            process,
        }
    }

    /// Whether it leads: the Lease is its own.
    pub(crate) async fn leads(&self, world: &World) -> bool {
        let leader = leader(world, "sluice-operator").await.unwrap_or_default();
        leader
            .rsplit_once('-')
            .is_some_and(|(name, _)| name == self.name)
    }

    /// Tells it to end, as Kubernetes does.
    pub(crate) fn terminate(&self) {
        let id = self.process.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").arg(id).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let ended = timeout(Duration::from_mins(1), self.process.wait()).await;
        ended.unwrap().unwrap()
    }
}
