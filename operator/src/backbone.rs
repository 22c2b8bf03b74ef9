//! The operator's place at the clusters' backbones: it gives gateways their documents over NATS,
//! and hears from them what they work by.

mod finalised;
mod fleet;
mod pushes;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use sluice_bucket::{BucketError, Connection, Login};
use sluice_contract::{ENVELOPE_BYTES, GatewayStatus, Names, Role, WireVersion, documents_digest};
use sluice_nats::link::Auth;
use sluice_util::lock;
use tokio::time::timeout;

pub(crate) use self::fleet::Heartbeats;
use self::{finalised::Finalised, pushes::Pushes};
use crate::{
    check::{Checked, Secrets},
    digest,
    metrics::Metrics,
    plan::{self, Cluster, Inputs, MANAGER},
    reason,
    trouble::Trouble,
};

/// How long a first connection is waited for.
const CONNECT: Duration = Duration::from_secs(3);

/// What was given to the gateways of a cluster, and how far it has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivery {
    /// What is the same where the documents are.
    pub(crate) digest: String,
    /// Their revision, where they go over NATS.
    pub(crate) revision: Option<u64>,
    /// Whether they wait for the backbone to be ready.
    pub(crate) pending: bool,
    /// What is in the way.
    pub(crate) trouble: Option<Trouble>,
    /// What clients may send and the servers do not take.
    pub(crate) too_large: Option<Trouble>,
    /// Why NATS cannot be reached, if it cannot.
    pub(crate) unreachable: Option<String>,
    /// What the gateways say that they work by.
    pub(crate) gateways: Vec<GatewayStatus>,
    /// The generations of Rooms in the documents of each revision that is remembered.
    pub(crate) rooms: BTreeMap<u64, Arc<BTreeMap<String, i64>>>,
}

/// A place at the servers of a cluster.
struct Entry {
    login: String,
    connection: Connection,
    /// Held while documents are given, which may take long. Who listens waits for nothing of it.
    pushes: tokio::sync::Mutex<Pushes>,
    finalised: tokio::sync::Mutex<Finalised>,
}

/// The connections to the clusters' NATS servers, by the clusters' identities. Clones are the same
/// ones.
#[derive(Clone, Default)]
pub(crate) struct Backbones(Arc<Mutex<HashMap<String, Arc<Entry>>>>);

impl Backbones {
    fn entries(&self) -> MutexGuard<'_, HashMap<String, Arc<Entry>>> {
        lock(&self.0)
    }

    /// Ends the connections of clusters that are gone.
    pub(crate) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.entries().retain(|uid, _| is_there(uid));
    }

    /// The connection to a cluster's servers, if there is one.
    pub(crate) fn connection(&self, uid: &str) -> Option<Connection> {
        let entry = self.entries().get(uid).cloned()?;
        Some(entry.connection.clone())
    }

    /// Listens to the gateways of a cluster from now on; `None` where that cannot be.
    pub(crate) async fn listen(&self, uid: &str) -> Option<Heartbeats> {
        let connection = self.connection(uid)?;
        fleet::listen(&connection).await
    }

    /// Gives the gateways their documents, unless they were given already, or the backbone is not
    /// ready.
    pub(crate) async fn deliver(
        &self,
        inputs: &Inputs<'_>,
        (checked, secrets): (&Checked, &Secrets),
        ready: bool,
        metrics: &Metrics,
    ) -> Delivery {
        let digest = documents_digest(inputs.documents).into_string();
        let mut delivery = Delivery {
            digest,
            ..Delivery::default()
        };
        if inputs.cluster.nats().is_none() || !ready {
            delivery.pending = !ready;
            return delivery;
        }
        match self.entry(inputs, secrets).await {
            Ok(entry) => {
                let documents = inputs.documents;
                delivery.too_large = too_large(inputs.cluster, entry.connection.max_payload());
                entry
                    .deliver(documents, checked, &mut delivery, metrics)
                    .await;
            }
            Err(trouble) => delivery.fails(trouble),
        }
        delivery
    }

    /// Has the bucket of a cluster say that at least the wire version `wanted` is finalised, and
    /// returns what it says; `None` where there is no bucket, or it says nothing.
    pub(crate) async fn finalise(
        &self,
        uid: &str,
        wanted: Option<WireVersion>,
    ) -> Result<Option<WireVersion>, Trouble> {
        let entry = self.entries().get(uid).cloned();
        let Some(entry) = entry.filter(|entry| entry.connection.is_connected()) else {
            return Ok(None);
        };
        let mut finalised = entry.finalised.lock().await;
        let kept = finalised.keep(&entry.connection, wanted).await;
        kept.map_err(|error| failed(&error))
    }

    async fn entry(&self, inputs: &Inputs<'_>, secrets: &Secrets) -> Result<Arc<Entry>, Trouble> {
        let cluster = inputs.cluster;
        let (login, mark) = login(inputs, secrets)?;
        let known = self.entries().get(&cluster.uid).cloned();
        if let Some(known) = known.filter(|it| it.login == mark) {
            return Ok(known);
        }
        let names = Names::new(&cluster.namespace, &cluster.name);
        let connection = Connection::open(&login, names).await;
        let connection = connection.map_err(|error| {
            let message = format!("spec.backbone.nats: the operator cannot connect ({error}); correct the URL or the credentials");
            Trouble::stalls(reason::BACKBONE_INVALID, message)
        })?;
        let entry = Arc::new(Entry {
            login: mark,
            connection,
            pushes: tokio::sync::Mutex::default(),
            finalised: tokio::sync::Mutex::default(),
        });
        self.entries()
            .insert(cluster.uid.clone(), Arc::clone(&entry));
        Ok(entry)
    }
}

/// What is said where clients may send more than servers of somebody else's take. `taken` is what
/// these say; `None` where none was heard.
fn too_large(cluster: &Cluster, taken: Option<usize>) -> Option<Trouble> {
    cluster.nats()?.external.as_ref()?;
    let (needed, taken) = (cluster.largest_message(), taken?);
    (needed > taken).then(|| {
        let message = format!(
            "spec.limits.payloadBytes: the NATS servers take messages of {taken} bytes and clients may send more, which is refused with payload_too_large: set max_payload of the servers to {needed} or more, or payloadBytes to {} or less",
            taken.saturating_sub(ENVELOPE_BYTES)
        );
        Trouble::notes(reason::UNDELIVERABLE, message)
    })
}

/// Where the servers are, and how the operator logs in, with what is another where that is.
fn login(inputs: &Inputs<'_>, secrets: &Secrets) -> Result<(Login, String), Trouble> {
    let cluster: &Cluster = inputs.cluster;
    let nats = cluster.nats();
    let managed = nats.and_then(|nats| nats.managed.as_ref());
    let external = nats.and_then(|nats| nats.external.as_ref());
    let urls = match (managed, external) {
        (Some(managed), _) => plan::operator_urls(cluster, managed, &inputs.keys.nats),
        (None, Some(external)) => external.url.clone(),
        (None, None) => String::new(),
    };
    let reference = external.and_then(|external| external.credentials_secret_ref.as_ref());
    let credentials = reference.map(|reference| {
        let bytes = secrets.get(&reference.name).and_then(|secret| secret.get(&reference.key));
        let text = bytes.and_then(|bytes| String::from_utf8(bytes.clone()).ok());
        text.ok_or_else(|| {
            let message = format!(
                "spec.backbone.nats.external.credentialsSecretRef: there is no Secret {} with the key {}: create it, or name the one that there is",
                reference.name, reference.key
            );
            Trouble::waits(reason::SECRET_MISSING, message)
        })
    });
    let credentials = credentials.transpose()?;
    let mark = digest(&(&urls, &credentials));
    let auth = credentials.map_or(Ok(Auth::None), |text| Auth::parse(&text));
    let auth = auth.map_err(|error| {
        let message = format!("spec.backbone.nats.external.credentialsSecretRef: {error}");
        Trouble::stalls(reason::BACKBONE_INVALID, message)
    })?;
    let login = Login {
        urls,
        logins: auth.into(),
        certificates: None,
        name: MANAGER.to_owned(),
        // Servers of somebody else's have one login for gateways and operator.
        role: if managed.is_some() {
            Role::Operator
        } else {
            Role::Gateway
        },
    };
    Ok((login, mark))
}

impl Delivery {
    fn fails(&mut self, trouble: Trouble) {
        self.unreachable = Some(trouble.message.clone());
        self.trouble = Some(trouble);
    }

    /// A gateway that refuses the newest documents, and why.
    pub(crate) fn refusal(&self) -> Option<(&str, &str)> {
        let start = format!("revision {}:", self.revision?);
        self.gateways.iter().find_map(|gateway| {
            let refused = gateway.policy.refused.as_deref()?;
            refused
                .starts_with(&start)
                .then_some((&*gateway.name, refused))
        })
    }

    /// Whether a gateway that was heard of has still to take the documents.
    pub(crate) fn is_being_taken(&self) -> bool {
        !self.is_everywhere() && self.refusal().is_none()
    }

    /// Whether every gateway that was heard of works by the documents.
    pub(crate) fn is_everywhere(&self) -> bool {
        self.gateways
            .iter()
            .all(|gateway| gateway.policy.revision >= self.revision.unwrap_or_default())
    }
}

impl Entry {
    async fn deliver(
        &self,
        text: &str,
        checked: &Checked,
        delivery: &mut Delivery,
        metrics: &Metrics,
    ) {
        if timeout(CONNECT, self.connection.connected()).await.is_err()
            || !self.connection.is_connected()
        {
            let message = "the operator cannot reach the NATS servers; look at them, at spec.backbone.nats, and at the network between";
            delivery.fails(Trouble::waits(reason::BACKBONE_UNREACHABLE, message));
            return;
        }
        let mut pushes = self.pushes.lock().await;
        let push = pushes.push(&self.connection, text, checked, &delivery.digest);
        match push.await {
            Ok(true) => metrics.pushed("ok"),
            Ok(false) => {}
            Err(error) => {
                metrics.pushed("failed");
                delivery.trouble = Some(failed(&error));
            }
        }
        delivery.revision = pushes.revision();
        delivery.rooms = pushes.rooms();
        delivery.gateways = fleet::ask(&self.connection).await;
    }
}

fn failed(error: &BucketError) -> Trouble {
    match error {
        BucketError::TooLarge { .. } => {
            Trouble::stalls(reason::DOCUMENTS_TOO_LARGE, error.to_string())
        }
        _ => Trouble::waits(reason::BACKBONE_UNAVAILABLE, error.to_string()),
    }
}
