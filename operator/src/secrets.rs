//! Secrets, read by name and never watched: the right to watch them is the right to read all.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use k8s_openapi::ByteString;
use rand::RngExt as _;
use serde_json::Value;
use sluice_contract::WireVersion;
use sluice_util::lock;

use crate::{
    Kind, Object,
    apply::Writer,
    plan::{FORMER_BACKEND, Keys, NatsKeys, Needed, application_of, names::Names},
    trouble::Trouble,
};

/// How long what was read is taken for what is there.
const FRESH: Duration = Duration::from_secs(30);

type Found = Option<Arc<Object>>;

/// Reads Secrets, and remembers them for some seconds.
#[derive(Default)]
pub(crate) struct Vault {
    read: Mutex<HashMap<(String, String), (Instant, Found)>>,
    /// The keys that were made up for a cluster, by its identity: they are put back as they were.
    keys: Mutex<HashMap<String, Keys>>,
}

impl Vault {
    fn entries(&self) -> MutexGuard<'_, HashMap<(String, String), (Instant, Found)>> {
        lock(&self.read)
    }

    /// A Secret, as it is or was some seconds ago.
    ///
    /// # Errors
    /// Where the API server does not say.
    pub(crate) async fn get(
        &self,
        writer: &Writer,
        namespace: &str,
        name: &str,
    ) -> Result<Found, Trouble> {
        let key = (namespace.to_owned(), name.to_owned());
        let known = self.entries().get(&key).cloned();
        if let Some((at, found)) = known
            && found.is_some()
            && at.elapsed() < FRESH
        {
            return Ok(found);
        }
        let found = writer
            .get(Kind::Secret, namespace, name)
            .await?
            .map(Arc::new);
        let mut entries = self.entries();
        entries.retain(|_, (at, _)| at.elapsed() < FRESH);
        entries.insert(key, (Instant::now(), found.clone()));
        Ok(found)
    }

    /// Has a Secret read anew the next time.
    pub(crate) fn forget(&self, namespace: &str, name: &str) {
        self.entries()
            .remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// The keys of a cluster: those in its Secrets, those it had, or new ones. Those of NATS
    /// servers are looked for where they are `managed`, with those of the `applications`.
    ///
    /// # Errors
    /// Where the API server does not say.
    pub(crate) async fn keys(
        &self,
        writer: &Writer,
        cluster: &Object,
        managed: bool,
        applications: &BTreeSet<String>,
    ) -> Result<Keys, Trouble> {
        let (namespace, names) = (cluster.namespace(), Names(cluster.name()));
        let own = self.get(writer, namespace, &names.operator_key()).await?;
        let servers = if managed {
            let name = names.nats_login("servers");
            self.get(writer, namespace, &name).await?
        } else {
            None
        };
        let ours = |secret: Found| secret.filter(|it| it.is_controlled_by(cluster.uid()));
        let (own, servers) = (ours(own), ours(servers));
        let mut stored = servers.map(|secret| texts(&secret)).unwrap_or_default();
        let is_former = |user: &&String| {
            application_of(user).is_some_and(|application| !applications.contains(application))
        };
        let former: Vec<_> = stored.keys().filter(is_former).cloned().collect();
        for user in former {
            let login = self
                .get(writer, namespace, &names.nats_login(&user))
                .await?;
            if login.is_none() {
                stored.remove(&user);
            }
        }
        let needed = Needed {
            gateways: finalised(cluster) < SEPARATE,
            backends: self.is_given(writer, namespace, names).await?,
        };
        let mut known = lock(&self.keys);
        let before = known.get(cluster.uid()).cloned().unwrap_or_else(fresh);
        let operator = own.and_then(|secret| text(&secret, "key"));
        let known_applications = before.nats.applications.clone();
        let mut nats = NatsKeys::stored(&stored, &before.nats, needed);
        if managed {
            nats.give_applications(applications, stored, &known_applications, password);
        }
        let keys = Keys {
            operator: operator.unwrap_or(before.operator),
            nats,
        };
        known.insert(cluster.uid().to_owned(), keys.clone());
        Ok(keys)
    }

    /// Whether backends were given a login of 0.1.0, and no other since. Whoever deletes its Secret
    /// wants another.
    async fn is_given(
        &self,
        writer: &Writer,
        namespace: &str,
        names: Names<'_>,
    ) -> Result<bool, Trouble> {
        let secret = names.nats_login("backend");
        let secret = self.get(writer, namespace, &secret).await?;
        let user = secret.and_then(|secret| text(&secret, "user"));
        Ok(user.is_some_and(|user| user == FORMER_BACKEND))
    }

    /// Forgets the keys of clusters that are gone.
    pub(crate) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        let mut keys = lock(&self.keys);
        keys.retain(|uid, _| is_there(uid));
    }
}

/// From which wire version on gateways have answers sent to inboxes of their own, and need no login
/// of 0.1.0.
const SEPARATE: WireVersion = WireVersion(2);

/// Up to which wire version the rollouts of a cluster are finalised.
fn finalised(cluster: &Object) -> WireVersion {
    let status = cluster.field("status");
    let version = status.get("wireVersion").and_then(Value::as_u64);
    let version = version.and_then(|version| u32::try_from(version).ok());
    version.map_or(WireVersion::FIRST, WireVersion)
}

/// What a Secret holds, by key.
pub(crate) fn data(secret: &Object) -> BTreeMap<String, Vec<u8>> {
    let data: BTreeMap<String, ByteString> = secret.read("data").unwrap_or_default();
    data.into_iter()
        .map(|(key, bytes)| (key, bytes.0))
        .collect()
}

fn text(secret: &Object, key: &str) -> Option<String> {
    texts(secret).remove(key)
}

/// What a Secret holds that is text, by key.
fn texts(secret: &Object) -> BTreeMap<String, String> {
    let texts = data(secret).into_iter();
    let texts = texts.filter_map(|(key, bytes)| Some((key, String::from_utf8(bytes).ok()?)));
    texts.filter(|(_, text)| !text.is_empty()).collect()
}

fn fresh() -> Keys {
    Keys {
        operator: password(),
        nats: NatsKeys {
            gateway: password(),
            operator: password(),
            backend: password(),
            routes: password(),
            ..NatsKeys::default()
        },
    }
}

/// 192 bits by chance, in letters and digits that need no escaping anywhere.
fn password() -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut random = rand::rng();
    let letter = |_| char::from(LETTERS[random.random_range(0..LETTERS.len())]);
    // It begins with a letter, since NATS reads what begins with a digit as a number.
    std::iter::once('k').chain((0..33).map(letter)).collect()
}
