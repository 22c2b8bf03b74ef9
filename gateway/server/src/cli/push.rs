//! Giving documents to a fleet.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use sluice_bucket::{Connection, Login};
use sluice_contract::{FleetStatus, GatewayNumber, GatewayStatus, Names, documents_digest};
use sluice_crds::{Documents, Problem, ProblemCode};
use sluice_policy::Policy;
use tokio::time::{sleep, timeout};

use super::{Failed, cannot_read, load, refuse_undeliverable, say};
use crate::{
    documents::{self, Secrets},
    gateway::{self, Given, names, nats_login},
};

/// How long the command waits for NATS, and again for the gateways.
const WITHIN: Duration = Duration::from_secs(5);
/// How often the gateways are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Give documents to all gateways of a fleet, over NATS.
#[derive(Args)]
pub(super) struct Push {
    /// A YAML file, or a directory of them: one `RealtimeCluster` and its Rooms, without Secrets.
    #[arg(long, env = "SLUICE_CONFIG")]
    config: PathBuf,
    /// A directory with one directory a Secret, to check the documents with.
    #[arg(long, env = "SLUICE_SECRETS")]
    secrets: Option<PathBuf>,
    /// Where NATS is, whatever the documents say: URLs separated by commas.
    #[arg(long, env = "SLUICE_NATS_URL")]
    nats: Option<String>,
    /// A file with what lets the command in, as for the gateway's --nats-login, instead of the Secret that the documents name.
    #[arg(long)]
    creds: Option<PathBuf>,
    /// A folder with certificates for NATS, as for the gateway.
    #[arg(long, env = "SLUICE_NATS_CERTIFICATES")]
    nats_certificates: Option<PathBuf>,
}

/// Checks documents, puts them into the bucket, and waits until the gateways work by them.
pub(super) fn push(push: &Push) -> Result<(), Failed> {
    let texts = documents::read(&push.config).map_err(|e| cannot_read(&e))?;
    let documents = load(&texts)?;
    check(&documents, push.secrets.as_deref())?;
    let login = login(push, &documents)?;
    let text = texts.joined();
    let digest = documents_digest(&text);
    let runtime = gateway::runtime().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let connection = Connection::open(&login, names(&documents)).await;
        let connection = connection.map_err(|e| e.to_string())?;
        if timeout(WITHIN, connection.connected()).await.is_err() {
            return Err("NATS cannot be reached; look at --nats, and at the servers"
                .to_owned()
                .into());
        }
        let pushed = connection.push(text).await;
        let revision = pushed.map_err(|error| error.to_string())?;
        say(&format!(
            "The documents are in the bucket as revision {revision}, digest {digest}."
        ));
        follow(&connection, &names(&documents), revision).await
    })
}

/// Checks what can be checked here: Secrets may be at the gateways only.
fn check(documents: &Documents, mounted: Option<&Path>) -> Result<(), Failed> {
    if let Some(secret) = documents.secrets.first() {
        let line = format!(
            "the Secret {} is among the documents, where all who read the bucket would see it; take it out, and mount it at the gateways",
            secret.name
        );
        return Err(line.into());
    }
    refuse_undeliverable(documents)?;
    let secrets = Secrets { documents, mounted };
    let elsewhere =
        |problem: &Problem| mounted.is_none() && problem.code == ProblemCode::UnknownReference;
    match Policy::compile(documents, &secrets, None) {
        Err(problems) if !problems.iter().all(elsewhere) => Err(problems.into()),
        _ => Ok(()),
    }
}

fn login(push: &Push, documents: &Documents) -> Result<Login, Failed> {
    if documents
        .cluster
        .spec
        .backbone
        .as_ref()
        .is_none_or(|backbone| backbone.nats.is_none())
    {
        return Err(
            "spec.backbone is not nats: a gateway by itself takes its documents from its files"
                .to_owned()
                .into(),
        );
    }
    if let Some(file) = &push.creds {
        std::fs::read_to_string(file).map_err(|e| format!("--creds cannot be read: {e}"))?;
    }
    let given = Given {
        urls: push.nats.clone(),
        login: push.creds.clone(),
        certificates: push.nats_certificates.clone(),
    };
    let login = nats_login(documents, &given, push.secrets.as_deref());
    let mut login = login.map_err(|e| format!("{e}, or name a file with --creds"))?;
    "sluice-gateway push".clone_into(&mut login.name);
    Ok(login)
}

/// Waits until all gateways work by the revision, or one refuses it.
async fn follow(connection: &Connection, names: &Names, revision: u64) -> Result<(), Failed> {
    let until = Instant::now() + WITHIN;
    let mut gateways = BTreeMap::new();
    loop {
        if let Some(fleet) = ask(connection, names).await {
            gateways = fleet
                .gateways
                .into_iter()
                .map(|it| (it.number, it))
                .collect();
        }
        let refusing = refusing(&gateways, revision);
        if !refusing.is_empty() {
            return Err(Failed(refusing));
        }
        let ready = gateways
            .values()
            .filter(|it| it.policy.revision >= revision)
            .count();
        if !gateways.is_empty() && ready == gateways.len() {
            say(&format!("All gateways ({ready}) work by it."));
            return Ok(());
        }
        if Instant::now() >= until {
            say(&format!(
                "{ready} of {} gateways have said that they work by it; others take it as soon as they can.",
                gateways.len()
            ));
            return Ok(());
        }
        sleep(LOOK_EVERY).await;
    }
}

fn refusing(gateways: &BTreeMap<GatewayNumber, GatewayStatus>, revision: u64) -> Vec<String> {
    let start = format!("revision {revision}:");
    let refused = gateways.values().filter_map(|gateway| {
        let refused = gateway.policy.refused.as_ref()?;
        refused
            .starts_with(&start)
            .then(|| format!("{} refuses it: {refused}", gateway.name))
    });
    refused.collect()
}

async fn ask(connection: &Connection, names: &Names) -> Option<FleetStatus> {
    let subject = names.operation("fleet");
    let answer = connection.client().request(subject, "".into()).await.ok()?;
    serde_json::from_slice(&answer.payload).ok()
}
