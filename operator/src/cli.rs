//! The command line.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::{CommandFactory as _, Parser};
use kube::{Client, Config};
use sluice_ops::log::{self, Format};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

use crate::{Metrics, Operator, Settings, lease::Candidate, ops, plan::Images};

/// Builds fleets of gateways from `RealtimeCluster` and Room resources, and takes them through
/// rollouts, scaling and failures.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// The Kubernetes namespace to work in. Without it, all.
    #[arg(long, env = "SLUICE_WATCH_NAMESPACE")]
    watch_namespace: Option<String>,
    /// The Kubernetes namespace that the operator runs in. Without it, the one that it is
    /// configured for.
    #[arg(long, env = "SLUICE_OPERATOR_NAMESPACE")]
    namespace: Option<String>,
    /// What this process is called: in Kubernetes, its pod's name.
    #[arg(long, env = "SLUICE_OPERATOR_NAME", default_value = "sluice-operator")]
    name: String,
    /// The image of gateways, where a `RealtimeCluster` names none.
    #[arg(long, env = "SLUICE_GATEWAY_IMAGE", default_value = concat!("sluice-gateway:", env!("CARGO_PKG_VERSION")))]
    gateway_image: String,
    /// The image of NATS servers, where a `RealtimeCluster` names none. It has `nats-server` on
    /// its path.
    #[arg(long, env = "SLUICE_NATS_IMAGE", default_value = "nats:2.15-alpine")]
    nats_image: String,
    /// Where the platform reads health and metrics.
    #[arg(long, env = "SLUICE_METRICS_LISTEN", default_value = "0.0.0.0:8080")]
    metrics_listen: SocketAddr,
    /// Whether one of several operators works, and the others wait. `false` is for one alone.
    #[arg(long, env = "SLUICE_LEADER_ELECTION", default_value_t = true, action = clap::ArgAction::Set)]
    leader_election: bool,
    /// The Lease by which the operators agree who works.
    #[arg(long, env = "SLUICE_LEASE", default_value = "sluice-operator")]
    lease: String,
    /// How log lines are written.
    #[arg(long, env = "SLUICE_LOG_FORMAT", value_enum, default_value = "text")]
    log_format: Format,
    /// What is logged: error, warn, info, debug, trace, or a filter by module.
    #[arg(long, env = "SLUICE_LOG", default_value = "info")]
    log: String,
}

/// The command line, as its flags are described.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command line of `sluice-operator`; problems are told on standard error.
pub fn run() -> ExitCode {
    match start(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn start(cli: Cli) -> Result<(), String> {
    log::start(cli.log_format, &cli.log, None)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("operator")
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let done = runtime.block_on(serve(cli));
    runtime.shutdown_background();
    done
}

async fn serve(cli: Cli) -> Result<(), String> {
    // The first process of a container does not hear of a signal that it did not ask for.
    let mut signals = Signals::new().map_err(|error| error.to_string())?;
    let config = Config::infer().await.map_err(|error| {
        format!("there is no API server to work with: {error}; run in a pod, or set KUBECONFIG")
    })?;
    let namespace = cli
        .namespace
        .clone()
        .unwrap_or_else(|| config.default_namespace.clone());
    let client = Client::try_from(config).map_err(|error| error.to_string())?;
    let metrics = Metrics::new().map_err(|error| error.to_string())?;
    let ready = Arc::new(AtomicBool::new(cli.leader_election));
    let listener = TcpListener::bind(cli.metrics_listen).await;
    let listener = listener
        .map_err(|error| format!("{} cannot be listened on: {error}", cli.metrics_listen))?;
    tokio::spawn(ops::serve(listener, metrics.clone(), Arc::clone(&ready)));
    let operator = Operator {
        client: client.clone(),
        namespace: cli.watch_namespace.clone(),
        settings: Settings {
            images: Images {
                gateway: cli.gateway_image.clone(),
                nats: cli.nats_image.clone(),
            },
            operator_namespace: namespace.clone(),
            instance: cli.name.clone(),
        },
        metrics,
        ready,
    };
    let candidate = cli.leader_election.then(|| {
        // A process that is started anew is another one.
        let identity = format!("{}-{:08x}", cli.name, rand::random::<u32>());
        Candidate::new(&client, &namespace, &cli.lease, &identity)
    });
    lead(operator, candidate, &mut signals).await
}

/// Works as long as this process leads, until it is told to end.
async fn lead(
    operator: Operator,
    candidate: Option<Candidate>,
    signals: &mut Signals,
) -> Result<(), String> {
    let Some(mut candidate) = candidate else {
        return work(&operator, signals).await;
    };
    tokio::select! {
        () = candidate.lead() => {}
        () = signals.next() => {
            candidate.release().await;
            return Ok(());
        }
    }
    tracing::info!("this process leads");
    operator.metrics.leads(true);
    operator.ready.store(false, Ordering::Relaxed);
    let done = tokio::select! {
        done = work(&operator, signals) => done,
        lost = candidate.keep() => return Err(lost.to_string()),
    };
    candidate.release().await;
    done
}

async fn work(operator: &Operator, signals: &mut Signals) -> Result<(), String> {
    tokio::select! {
        () = operator.run() => Err("the operator could not go on".to_owned()),
        () = signals.next() => {
            tracing::info!("the operator ends; fleets go on without it");
            Ok(())
        }
    }
}

struct Signals(Signal, Signal);

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self(
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        ))
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}
