//! Changed files take hold without a restart.

use std::{fs, io, panic::resume_unwind, path::Path, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use sluice_api::{Api, Keys};
use sluice_bucket::Pushed;
use sluice_crds::{Documents, Problem, Secret};
use sluice_net::tls::Certificate;
use sluice_policy::Policy;
use tokio::time::MissedTickBehavior;

use super::{Setup, backbone::ConfiguredBackbone, bucket::PushedDocuments, pushed};
use crate::{
    applications::Applications,
    backend::CurrentBackend,
    documents::{self, Secrets, Texts},
    in_force::{self, InForce, Origin},
    inboxes::{InboxItem, Inboxes},
};

/// How often the files are looked at. Their text is compared, and not their times: that is right
/// for every way in which a file can change, the exchange of a mounted volume's link among them.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What the files determine.
pub(super) struct Watched {
    pub(super) setup: Setup,
    pub(super) texts: Texts,
    /// The Secrets among the files.
    pub(super) own_secrets: Vec<Secret>,
    pub(super) documents: Documents,
    pub(super) origin: Origin,
    pub(super) policy: Arc<ArcSwap<Policy>>,
    pub(super) in_force: Arc<InForce>,
    pub(super) backend: Arc<CurrentBackend>,
    pub(super) applications: Arc<Applications>,
    pub(super) inboxes: Arc<Inboxes>,
    pub(super) certificate: Option<Certificate>,
    pub(super) backbone: ConfiguredBackbone,
    pub(super) api: Api,
}

/// Looks at the files, and takes what comes from the bucket, for ever.
pub(super) async fn watch(mut watched: Watched, mut documents: Option<PushedDocuments>) {
    let mut interval = tokio::time::interval(LOOK_EVERY);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut secrets = watched.secret_bytes();
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            pushed = next(&mut documents) => {
                watched.take_pushed(pushed).await;
                continue;
            }
        }
        let config = watched.setup.config.clone();
        let read = tokio::task::spawn_blocking(move || documents::read(&config)).await;
        let bucket_rules = documents.as_ref().is_some_and(PushedDocuments::rule);
        match read {
            Ok(Ok(texts)) if texts != watched.texts && bucket_rules => {
                watched.take_secrets(texts).await;
            }
            Ok(Ok(texts)) if texts != watched.texts => watched.take(texts).await,
            Ok(Err(error)) => {
                tracing::warn!(%error, "the documents cannot be read; the last good ones stay in force");
            }
            _ => {}
        }
        let now = watched.secret_bytes();
        if now != secrets {
            secrets = now;
            watched.apply().await;
        }
    }
}

/// Documents out of the bucket, where there is one.
async fn next(documents: &mut Option<PushedDocuments>) -> Pushed {
    match documents {
        Some(documents) => documents.next().await,
        None => std::future::pending().await,
    }
}

/// Checks or compiles documents on a thread of its own: that can take as long as the documents are
/// large, and the control thread answers probes meanwhile.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Vec<Problem>> + Send + 'static,
) -> Result<T, Vec<Problem>> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(failed) => resume_unwind(failed.into_panic()),
    }
}

impl Watched {
    fn secrets(&self) -> Secrets<'_> {
        Secrets {
            documents: &self.documents,
            mounted: self.setup.secrets.as_deref(),
        }
    }

    /// All that mounted Secrets give, to see when they change.
    fn secret_bytes(&self) -> Vec<Option<Vec<u8>>> {
        let spec = &self.documents.cluster.spec;
        let secrets = self.secrets();
        let keys = spec.secret_refs().into_iter();
        let mut bytes: Vec<_> = keys
            .map(|(_, reference)| secrets.read(&reference.name, &reference.key))
            .collect();
        if let Some(tls) = &spec.tls {
            bytes.extend(["tls.crt", "tls.key"].map(|key| secrets.read(&tls.secret_name, key)));
        }
        bytes.extend(
            self.setup
                .operator_key
                .as_ref()
                .map(|path| fs::read(path).ok()),
        );
        bytes
    }

    /// Takes changed documents, if they can be used.
    async fn take(&mut self, texts: Texts) {
        self.texts = texts.clone();
        let loaded = apart(move || texts.load()).await;
        match loaded {
            Ok(documents) => {
                self.own_secrets.clone_from(&documents.secrets);
                self.origin = Origin::files(&documents);
                self.documents = documents;
                self.apply().await;
            }
            Err(problems) => self.in_force.refuse(0, &problems),
        }
    }

    /// Takes the documents of the bucket, if they can be used.
    async fn take_pushed(&mut self, pushed: Pushed) {
        let own = Documents {
            secrets: self.own_secrets.clone(),
            ..self.documents.clone()
        };
        let (revision, origin) = (pushed.revision, pushed::origin(&pushed));
        match apart(move || pushed::load(&pushed, &own)).await {
            Ok(documents) => {
                self.origin = origin;
                self.documents = documents;
                self.apply().await;
            }
            Err(problems) => self.in_force.refuse(revision, &problems),
        }
    }

    /// Takes the Secrets of changed files, whose other documents do not count any more.
    async fn take_secrets(&mut self, texts: Texts) {
        self.texts = texts.clone();
        let loaded = apart(move || texts.load()).await;
        tracing::info!(
            "the files have changed; the documents of the bucket stay in force, with the Secrets of the files"
        );
        match loaded {
            Ok(documents) if documents.secrets != self.own_secrets => {
                self.own_secrets.clone_from(&documents.secrets);
                self.documents.secrets = documents.secrets;
                self.apply().await;
            }
            Ok(_) => {}
            Err(problems) => self.in_force.refuse(0, &problems),
        }
    }

    /// Compiles the documents and lets them take hold, if they can be used.
    async fn apply(&self) {
        let current = self.policy.load_full();
        let policy = match self.compile(Arc::clone(&current)).await {
            Ok(policy) => Arc::new(policy),
            Err(problems) => {
                return self.in_force.refuse(self.origin.revision, &problems);
            }
        };
        policy.start();
        let changes = policy.changes_from(&current);
        tracing::info!(generation = policy.generation, %changes, "changed documents are in force");
        in_force::warn_of(&self.documents);
        self.backbone.reload(&self.documents);
        self.backend.configure(&policy);
        if let Err(error) = self.applications.follow(&policy) {
            tracing::error!(%error, "the instances of an application cannot be reached; restart the gateway");
        }
        self.policy.store(Arc::clone(&policy));
        self.in_force.took(&self.origin);
        self.inboxes
            .send_all(|| InboxItem::Policy(Arc::clone(&policy)));
        set_keys(&self.api, &self.documents, &self.setup);
        self.exchange_certificate();
    }

    async fn compile(&self, current: Arc<Policy>) -> Result<Policy, Vec<Problem>> {
        let (documents, mounted) = (self.documents.clone(), self.setup.secrets.clone());
        apart(move || {
            let secrets = Secrets {
                documents: &documents,
                mounted: mounted.as_deref(),
            };
            Policy::compile(&documents, &secrets, Some(&current))
        })
        .await
    }

    fn exchange_certificate(&self) {
        let (Some(certificate), Some(tls)) = (&self.certificate, &self.documents.cluster.spec.tls)
        else {
            return;
        };
        let secrets = self.secrets();
        let pair = secrets
            .read(&tls.secret_name, "tls.crt")
            .zip(secrets.read(&tls.secret_name, "tls.key"));
        let Some((chain, key)) = pair else {
            tracing::warn!(secret = %tls.secret_name, "the Secret lacks tls.crt or tls.key; the last certificate stays in use");
            return;
        };
        if let Err(error) = certificate.exchange(&chain, &key) {
            tracing::warn!(%error, "the certificate cannot be used; the last one stays in use");
        }
    }
}

/// The certificate that the documents ask for.
///
/// # Errors
/// Where one is asked for and cannot be used.
pub(super) fn certificate(
    documents: &Documents,
    mounted: Option<&Path>,
) -> io::Result<Option<Certificate>> {
    let Some(tls) = &documents.cluster.spec.tls else {
        return Ok(None);
    };
    let secrets = Secrets { documents, mounted };
    let missing = |key: &str| {
        let name = &tls.secret_name;
        io::Error::other(format!(
            "spec.tls: the Secret {name} has no {key}; add it, or mount the Secret"
        ))
    };
    let chain = secrets
        .read(&tls.secret_name, "tls.crt")
        .ok_or_else(|| missing("tls.crt"))?;
    let key = secrets
        .read(&tls.secret_name, "tls.key")
        .ok_or_else(|| missing("tls.key"))?;
    Ok(Some(Certificate::from_pem(&chain, &key)?))
}

/// Gives the server API the keys that the documents name and the operator's: one a line.
pub(super) fn set_keys(api: &Api, documents: &Documents, setup: &Setup) {
    set_server_keys(api, documents, setup.secrets.as_deref());
    if let Some(path) = &setup.operator_key {
        set_operator_keys(api, path);
    }
}

fn set_operator_keys(api: &Api, path: &Path) {
    let keys = fs::read_to_string(path).map_err(|error| error.to_string());
    let keys = keys.and_then(|text| Keys::new(text.lines()).map_err(|error| error.to_string()));
    match keys {
        Ok(keys) => api.set_operator_keys(keys),
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "the operator's key cannot be used; the last one stays in force");
        }
    }
}

fn set_server_keys(api: &Api, documents: &Documents, mounted: Option<&Path>) {
    let Some(server_api) = &documents.cluster.spec.server_api else {
        return api.set_keys(Keys::default());
    };
    let reference = &server_api.key_secret_ref;
    let secrets = Secrets { documents, mounted };
    let bytes = secrets
        .read(&reference.name, &reference.key)
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    match Keys::new(text.lines()) {
        Ok(keys) => api.set_keys(keys),
        Err(error) => {
            tracing::error!(secret = %reference.name, %error, "the server API's keys cannot be used; the last ones stay in force");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[tokio::test]
    async fn documents_are_compiled_on_another_thread_than_the_one_that_answers_probes() {
        let there = apart(|| Ok(thread::current().id())).await.unwrap();
        assert_ne!(there, thread::current().id());
    }
}
