//! Where NATS is by the documents, and what lets this gateway in.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sluice_bucket::Login;
use sluice_contract::{Names, Role};
use sluice_crds::{Documents, SecretKeyRef, cluster::NatsBackbone};
use sluice_nats::link::{Auth, Logins, Options, ServerUrl};

use crate::documents::Secrets;

/// Where the server of a managed NATS listens.
const PORT: u16 = 4222;

/// How the cluster's subjects and streams are called.
pub(crate) fn names(documents: &Documents) -> Names {
    let meta = &documents.cluster.metadata;
    Names::new(
        meta.namespace.as_deref().unwrap_or("default"),
        meta.name.as_deref().unwrap_or_default(),
    )
}

/// What the command line says of NATS, whatever the documents say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    /// URLs, separated by commas.
    pub(crate) urls: Option<String>,
    /// A file with what lets the gateway in.
    pub(crate) login: Option<PathBuf>,
    /// A folder with certificates.
    pub(crate) certificates: Option<PathBuf>,
}

/// Where NATS is by the documents, or as `given`, and what lets us in: what the file holds that is
/// given, or the credentials that the documents name. Both are read anew for each connection. The
/// login has no name yet.
///
/// # Errors
/// Where the documents do not name NATS, or name credentials that are not there.
pub(crate) fn nats_login(
    documents: &Documents,
    given: &Given,
    mounted: Option<&Path>,
) -> io::Result<Login> {
    let backbone = documents.cluster.spec.backbone.as_ref();
    let spec = backbone.and_then(|backbone| backbone.nats.as_ref());
    let spec = spec.ok_or_else(|| io::Error::other("spec.backbone is not nats"))?;
    let urls = urls(documents, given.urls.as_deref(), spec);
    let credentials = match &given.login {
        Some(_) => None,
        None => Credentials::named(documents, spec, mounted),
    };
    let logins = match (&given.login, credentials) {
        (Some(file), _) => in_file(file.clone(), &urls)?,
        (None, Some(credentials)) => {
            credentials.read()?;
            Logins::new(move || Ok(vec![credentials.read()?]))
        }
        (None, None) => Logins::default(),
    };
    Ok(Login {
        // Whom they name is among the logins then.
        urls: if given.login.is_some() {
            nameless(&urls)?
        } else {
            urls
        },
        logins,
        certificates: given.certificates.clone(),
        name: String::new(),
        role: Role::Gateway,
    })
}

/// What a file holds, and after it whom the URLs name: the file may not be there yet, and servers
/// may not know yet what it holds.
fn in_file(file: PathBuf, urls: &str) -> io::Result<Logins> {
    let named = parse(urls)?.iter().find_map(ServerUrl::login);
    Ok(Logins::new(move || {
        let read =
            fs::read_to_string(&file).and_then(|text| Auth::parse(&text).map_err(io::Error::other));
        match (read, &named) {
            (Ok(auth), named) => Ok([auth].into_iter().chain(named.clone()).collect()),
            (Err(error), Some(named)) => {
                tracing::debug!(%error, file = %file.display(), "there is no login in the file");
                Ok(vec![named.clone()])
            }
            (Err(error), None) => {
                let message = format!("{}: {error}", file.display());
                Err(io::Error::new(error.kind(), message))
            }
        }
    }))
}

fn parse(urls: &str) -> io::Result<Vec<ServerUrl>> {
    let urls = urls.split(',').map(|url| url.trim().parse());
    urls.collect::<Result<_, _>>().map_err(io::Error::other)
}

/// The URLs without users.
fn nameless(urls: &str) -> io::Result<String> {
    let urls: Vec<_> = parse(urls)?.iter().map(ToString::to_string).collect();
    Ok(urls.join(","))
}

/// The same for the backbone's own connection.
///
/// # Errors
/// Where the URLs cannot be read.
pub(super) fn options(login: &Login) -> io::Result<Options> {
    let mut options = Options::new(parse(&login.urls)?, &login.name);
    options.logins = login.logins.clone();
    options.certificates.clone_from(&login.certificates);
    Ok(options)
}

fn urls(documents: &Documents, given: Option<&str>, spec: &NatsBackbone) -> String {
    match (given, &spec.external, &spec.managed) {
        (Some(given), ..) => given.to_owned(),
        (None, Some(external), _) => external.url.clone(),
        (None, None, managed) => {
            managed_urls(documents, managed.as_ref().map_or(1, |m| m.replicas))
        }
    }
}

/// Where the servers are that the operator runs.
fn managed_urls(documents: &Documents, replicas: u32) -> String {
    let meta = &documents.cluster.metadata;
    let name = meta.name.as_deref().unwrap_or_default();
    let namespace = meta.namespace.as_deref().unwrap_or("default");
    let url = |n| format!("nats://{name}-nats-{n}.{name}-nats.{namespace}.svc:{PORT}");
    (0..replicas).map(url).collect::<Vec<_>>().join(",")
}

/// The credentials that the documents name: in a Secret that is mounted, or among the documents.
struct Credentials {
    reference: SecretKeyRef,
    mounted: Option<PathBuf>,
    documents: Documents,
}

impl Credentials {
    fn named(documents: &Documents, spec: &NatsBackbone, mounted: Option<&Path>) -> Option<Self> {
        let external = spec.external.as_ref()?;
        Some(Self {
            reference: external.credentials_secret_ref.clone()?,
            mounted: mounted.map(Path::to_owned),
            documents: documents.clone(),
        })
    }

    fn read(&self) -> io::Result<Auth> {
        let secrets = Secrets {
            documents: &self.documents,
            mounted: self.mounted.as_deref(),
        };
        let SecretKeyRef { name, key } = &self.reference;
        let text = secrets.read(name, key);
        let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.ok_or_else(|| {
            io::Error::other(format!(
                "spec.backbone.nats.external.credentialsSecretRef: the Secret {name} has no text under {key}; add it, or mount the Secret"
            ))
        })?;
        Auth::parse(&text).map_err(io::Error::other)
    }
}
