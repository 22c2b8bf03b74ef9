//! How much the operator takes for many resources: it runs against a real API server with 500
//! `RealtimeCluster`s and 5,000 `Room`s, and what it takes is printed.
//!
//! ```sh
//! cargo build --release -p sluice-operator
//! cargo run --release -p sluice-operator --example scale
//! ```
//!
//! There are no nodes: as soon as a Deployment is there, its status is set to what it would be with
//! gateways.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement")]

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use clap::Parser;
use futures_util::{StreamExt as _, stream};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, ResourceExt as _,
    api::{ListParams, Patch, PatchParams, PostParams},
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::json;
use sluice_crds::{RealtimeCluster, Room, definition};
use sluice_operator::Kind;
use sluice_test_apiserver::{ApiServer, Options};
use tokio::time::sleep;

/// Requests that are under way at once when the resources are made.
const AT_ONCE: usize = 16;

/// Measures what the operator takes for many resources.
#[derive(Parser)]
struct Arguments {
    /// How many `RealtimeCluster`s there are.
    #[arg(long, default_value_t = 500)]
    clusters: usize,
    /// How many Rooms each of them has.
    #[arg(long, default_value_t = 10)]
    rooms: usize,
    /// For how many seconds nothing may be written.
    #[arg(long, default_value_t = 60)]
    quiet: u64,
    /// The operator. Without it, the one that is built beside this program.
    #[arg(long)]
    operator: Option<PathBuf>,
}

/// The kinds that the operator writes, in the plural.
fn written() -> Vec<&'static str> {
    let others = [Kind::RealtimeCluster, Kind::Room, Kind::Pod];
    let kinds = Kind::MADE.into_iter().chain(others).map(Kind::plural);
    kinds.chain(["events"]).collect()
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    let server = ApiServer::start(Options::default()).await;
    let client = server.client().await;
    install(&client).await;
    let started = Instant::now();
    make(&client, &arguments).await;
    println!(
        "made {} RealtimeClusters and {} Rooms in {:.1} s",
        arguments.clusters,
        arguments.clusters * arguments.rooms,
        started.elapsed().as_secs_f64()
    );
    let before = server.writes(&written()).await;
    let operator = Operator::start(&arguments, &server);
    let started = Instant::now();
    settle(&client, &arguments, &operator).await;
    let took = started.elapsed();
    let writes = server.writes(&written()).await - before;
    println!(
        "all ready after {:.1} s, {writes} writes",
        took.as_secs_f64()
    );
    operator.report("converged");
    quiet(&server, &operator, arguments.quiet, "steady").await;
    drop(operator);
    let again = Operator::start(&arguments, &server);
    sleep(Duration::from_secs(20)).await;
    again.report("started again");
    quiet(&server, &again, arguments.quiet, "started again").await;
}

/// Counts what is written while nothing changes.
async fn quiet(server: &ApiServer, operator: &Operator, seconds: u64, when: &str) {
    let (before, cpu) = (server.writes(&written()).await, operator.cpu());
    sleep(Duration::from_secs(seconds)).await;
    let writes = server.writes(&written()).await - before;
    println!(
        "{when}: {writes} writes and {:.2} s of processor time in {seconds} s",
        operator.cpu() - cpu
    );
    operator.report(when);
}

async fn install(client: &Client) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in [definition::<RealtimeCluster>(), definition::<Room>()] {
        let definition = serde_json::from_value(definition).unwrap();
        api.create(&PostParams::default(), &definition)
            .await
            .unwrap();
    }
    sleep(Duration::from_secs(5)).await;
}

fn api(client: &Client, kind: Kind) -> Api<DynamicObject> {
    let gvk = GroupVersionKind::gvk(kind.group(), kind.version(), kind.name());
    let resource = ApiResource::from_gvk_with_plural(&gvk, kind.plural());
    Api::namespaced_with(client.clone(), "default", &resource)
}

async fn make(client: &Client, arguments: &Arguments) {
    let clusters = (0..arguments.clusters).map(|n| {
        let spec = json!({"auth": {"required": false}});
        (Kind::RealtimeCluster, format!("c{n}"), spec)
    });
    let rooms = (0..arguments.clusters * arguments.rooms).map(|n| {
        let (cluster, room) = (n / arguments.rooms, n % arguments.rooms);
        let spec = json!({
            "clusterRef": {"name": format!("c{cluster}")},
            "match": format!("room-{room}-*"),
            "access": {"join": "has(claims.roles) && 'agent' in claims.roles || user == room.suffix"},
            "history": {"maxMessages": 100},
            "schemas": {"message": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}},
        });
        (Kind::Room, format!("c{cluster}-r{room}"), spec)
    });
    stream::iter(clusters.chain(rooms))
        .for_each_concurrent(AT_ONCE, |(kind, name, spec)| async move {
            let object = json!({
                "apiVersion": kind.api_version(), "kind": kind.name(),
                "metadata": {"name": name}, "spec": spec,
            });
            let object = serde_json::from_value(object).unwrap();
            api(client, kind)
                .create(&PostParams::default(), &object)
                .await
                .unwrap();
        })
        .await;
}

/// Waits until everything is ready, and gives every Deployment its gateways.
async fn settle(client: &Client, arguments: &Arguments, operator: &Operator) {
    let mut last = Instant::now();
    loop {
        run(client).await;
        let clusters = ready(client, Kind::RealtimeCluster).await;
        let rooms = ready(client, Kind::Room).await;
        if last.elapsed() >= Duration::from_secs(10) {
            println!("{clusters} clusters and {rooms} Rooms are ready");
            operator.report("so far");
            last = Instant::now();
        }
        if clusters == arguments.clusters && rooms == arguments.clusters * arguments.rooms {
            return;
        }
        sleep(Duration::from_secs(1)).await;
    }
}

async fn run(client: &Client) {
    let deployments = api(client, Kind::Deployment);
    let all = deployments.list(&ListParams::default()).await.unwrap();
    let idle = all
        .items
        .into_iter()
        .filter(|it| it.data["status"]["readyReplicas"].is_null());
    stream::iter(idle)
        .for_each_concurrent(AT_ONCE, |deployment| {
            let status =
                json!({"status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}});
            let deployments = deployments.clone();
            async move {
                let name = deployment.name_any();
                let _ = deployments
                    .patch_status(&name, &PatchParams::default(), &Patch::Merge(status))
                    .await;
            }
        })
        .await;
}

async fn ready(client: &Client, kind: Kind) -> usize {
    let all = api(client, kind)
        .list(&ListParams::default())
        .await
        .unwrap();
    let is_ready = |object: &&DynamicObject| {
        let conditions = object
            .data
            .pointer("/status/conditions")
            .and_then(|it| it.as_array());
        conditions
            .into_iter()
            .flatten()
            .any(|it| it["type"] == "Ready" && it["status"] == "True")
    };
    all.items.iter().filter(is_ready).count()
}

/// The operator's process.
struct Operator(Child);

impl Operator {
    fn start(arguments: &Arguments, server: &ApiServer) -> Self {
        let beside = || {
            let own = std::env::current_exe().unwrap();
            own.parent()
                .unwrap()
                .parent()
                .unwrap()
                .join("sluice-operator")
        };
        let program = arguments.operator.clone().unwrap_or_else(beside);
        let child = Command::new(&program)
            .env("KUBECONFIG", server.kubeconfig())
            .args([
                "--metrics-listen",
                "127.0.0.1:0",
                "--leader-election",
                "false",
                "--log",
                "warn",
            ])
            .stdin(Stdio::null())
            .spawn();
        Self(child.unwrap_or_else(|error| panic!("{}: {error}; build it first", program.display())))
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).expect("the operator runs")
    }

    /// The processor time that it has used, in seconds.
    fn cpu(&self) -> f64 {
        let stat = self.read("stat");
        let after = stat.rsplit(')').next().unwrap_or_default();
        let fields: Vec<f64> = after
            .split_whitespace()
            .filter_map(|it| it.parse().ok())
            .collect();
        // Fields 14 and 15 of the whole, in hundredths of a second; the state is no number.
        (fields[10] + fields[11]) / 100.0
    }

    fn report(&self, when: &str) {
        let status = self.read("status");
        let of = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            let kilobytes =
                line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
            kilobytes.unwrap_or_default() / 1024.0
        };
        println!(
            "{when}: {:.0} MiB resident, {:.0} MiB at most, {:.1} s of processor time",
            of("VmRSS"),
            of("VmHWM"),
            self.cpu()
        );
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
